package strong

import (
	"bytes"
	"context"
	"slices"

	"github.com/hashicorp/raft"

	"github.com/topos-go/topos/actor"
)

// A registry is founded once, by the first of its initial voters, when all of
// them have said that they have no data. One that has means that there is a
// registry, or was; then nothing is founded, and who has no data is found by
// the leader of that registry.

// fresh reports whether this replica has no data and was told that it may take
// part in a founding.
func (rep *replica) fresh() bool {
	return rep.r.cfg.Bootstrap && slices.Contains(rep.r.cfg.Voters, rep.r.self.Name) &&
		rep.epoch.Load() == 0 && rep.raft.LastIndex() == 0
}

// mayFound reports whether it is this node that founds.
func (rep *replica) mayFound() bool {
	return rep.fresh() && rep.r.self.Name == rep.r.cfg.Voters[0]
}

// found founds the registry as soon as that is possible, until ctx ends.
func (rep *replica) found(ctx context.Context) {
	for rep.fresh() && ctx.Err() == nil {
		voters, ok := rep.gather(ctx)
		if !ok {
			pause(ctx, rep.r.cfg.Election/4)
			continue
		}
		if err := rep.raft.BootstrapCluster(raft.Configuration{Servers: voters}).Error(); err != nil {
			rep.r.log.Error("founding the registry of strong names failed", "error", err)
			return
		}
		// If it ends here, it does this when it starts again: see identify.
		if err := rep.adopt(rep.firstEpoch()); err != nil {
			rep.r.log.Error("writing the first epoch failed", "error", err)
			return
		}
		rep.r.log.Info("founded the registry of strong names", "epoch", rep.epoch.Load(), "voters", len(voters))
	}
}

// firstEpoch is 1 if it will be kept. In memory it is above all that this node
// may have given to a registry before, so that tokens stay in order even if
// all nodes are started anew.
func (rep *replica) firstEpoch() uint64 {
	if rep.r.cfg.Dir != "" {
		return 1
	}
	return max(rep.r.self.Incarnation.Boot, 1)
}

// gather asks the other initial voters, and returns them all if none of them has
// data.
func (rep *replica) gather(ctx context.Context) ([]raft.Server, bool) {
	servers := []raft.Server{{Suffrage: raft.Voter, ID: rep.id, Address: raft.ServerAddress(rep.id)}}
	for _, name := range rep.r.cfg.Voters[1:] {
		node, up := rep.r.roster.named(name)
		if !up {
			return nil, false
		}
		body, err := rep.r.x.call(ctx, node, frame{kind: kindForm, body: rep.voterList()}, rep.r.cfg.Election)
		if err != nil {
			return nil, false
		}
		id, fresh, err := decodeFormed(body)
		if at, located := rep.r.roster.locate(id); err != nil || !fresh || !located || at != node {
			return nil, false
		}
		servers = append(servers, raft.Server{Suffrage: raft.Voter, ID: id, Address: raft.ServerAddress(id)})
	}
	return servers, true
}

// formed answers a founder: who this node is and whether it has no data. One that
// was given other initial voters is refused.
func (rep *replica) formed(from actor.NodeID, f frame) {
	if !bytes.Equal(f.body, rep.voterList()) {
		rep.r.log.Error("another node was given other initial voters", "node", from.Name)
		rep.r.refuse(from, f, errMalformed)
		return
	}
	_ = rep.r.x.send(from, frame{kind: kindAnswer, id: f.id, body: encodeFormed(rep.id, rep.fresh())})
}

// voterList is the initial voters as this node was given them.
func (rep *replica) voterList() (b []byte) {
	for _, name := range rep.r.cfg.Voters {
		b = appendBytes(b, name)
	}
	return b
}

// encodeFormed is what a founder is told: who this node is, and whether it has
// no data.
func encodeFormed(id raft.ServerID, fresh bool) []byte {
	return appendBool(appendBytes(nil, id), fresh)
}

func decodeFormed(b []byte) (id raft.ServerID, fresh bool, err error) {
	r := reader{b: b}
	id = raft.ServerID(r.text())
	fresh = r.yes()
	return id, fresh, r.end()
}
