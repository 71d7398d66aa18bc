package remote

import "time"

const (
	// postIdle is how long a connection is kept that was made for single
	// messages: longer than an answer takes, so that it needs none of its own.
	postIdle = 3 * time.Second
	// maxPosts bounds the frames that wait for such a connection.
	maxPosts = 16
)

// post sends a frame of the overlay to p, whether the two are linked or not. It may
// be lost.
func (p *peer) post(frame []byte) {
	if p.membership.connected() {
		p.tell(frame)
		return
	}
	s, _ := p.stream(PostChannel)
	if s == nil {
		return // it is retired
	}
	s.mu.Lock()
	l := s.laneLocked(0)
	switch {
	case l == nil || l.closed:
	case l.link != nil:
		l.pushLocked(0, frame, nil)
		l.rouse()
	case len(l.posts) < maxPosts:
		l.posts = append(l.posts, frame)
		l.asked = true
		l.poke()
	}
	s.mu.Unlock()
}
