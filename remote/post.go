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
// be lost. It reports false if no connection could be made last time, and the frame
// should rather go another way.
func (p *peer) post(frame []byte) (sent bool) {
	p.asked.store(time.Now())
	if p.membership.connected() {
		p.tell(frame)
		return true
	}
	s, _ := p.stream(PostChannel)
	if s == nil {
		return true // it is retired
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.laneLocked(0)
	switch {
	case l == nil || l.closed:
	case l.link != nil:
		l.pushLocked(0, frame, nil)
		l.rouse()
	case l.failures > 0:
		if l.failures == 1 || !time.Now().Before(l.retry) {
			l.asked = true
			l.poke()
		}
		return false
	case len(l.posts) < maxPosts:
		l.posts = append(l.posts, frame)
		l.asked = true
		l.poke()
	}
	return true
}

// postsFailed lets the drive know that the frames that waited for a connection have
// to go another way, and when one is to be tried again. The stream's lock is held.
func (l *lane) postsFailedLocked() (frames [][]byte) {
	l.failures++
	l.retry = time.Now().Add(l.node.backoff(l.failures))
	frames, l.posts = l.posts, nil
	return frames
}
