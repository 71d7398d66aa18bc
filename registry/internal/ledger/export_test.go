package ledger

import "github.com/topos-go/topos/actor"

// MarkOf is markOf.
func MarkOf(node actor.NodeID) uint64 { return markOf(node) }

// Parked reports whether something is kept of node's part while it is lost.
func (l *Ledger[V]) Parked(node actor.NodeID) bool {
	r := l.others[node]
	return r != nil && !r.up && r.size > 0
}

// Held is how many updates wait for others.
func (l *Ledger[V]) Held() int { return l.held }

// BucketOf is bucketOf.
func BucketOf(key string) int { return bucketOf(key) }
