package topology

import "time"

// happening is something that is to be done at a time.
type happening struct {
	at  time.Time
	seq int
	do  func()
}

// timeline is a heap of what is to happen: the first by time, then by number.
type timeline []happening

func (q timeline) Len() int { return len(q) }
func (q timeline) Less(i, j int) bool {
	return q[i].at.Before(q[j].at) || q[i].at.Equal(q[j].at) && q[i].seq < q[j].seq
}
func (q timeline) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *timeline) Push(x any)   { *q = append(*q, x.(happening)) }
func (q *timeline) Pop() any {
	last := (*q)[len(*q)-1]
	(*q)[len(*q)-1] = happening{}
	*q = (*q)[:len(*q)-1]
	return last
}
