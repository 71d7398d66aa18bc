package memory

import (
	"net"
	"slices"
	"time"
)

const (
	// capacity is how many bytes of one direction of a connection are on their
	// way at most, as in a socket's buffer.
	capacity = 256 << 10
	// segment is how many bytes arrive at once where bandwidth is limited.
	segment = 16 << 10
)

// pipe is one direction of a connection. The network's lock guards it.
//
// Invariants: the packets that have not been sent are the last ones of the
// queue; arrival times do not decrease; size is the length of all data in the
// queue, and unacked.
type pipe struct {
	link  *link
	queue []packet
	size  int
	// unacked is what was read while the way back was blocked: the writer does
	// not know that there is room again.
	unacked int
	last    time.Time // when what was sent last arrives
	broken  bool

	reader, writer side
}

// packet is some bytes under way, or the end of them.
type packet struct {
	data []byte
	fin  bool
	sent bool
	due  time.Time // when it arrives, if it was sent
	// stopped says that the process that wrote it is frozen: it will only have
	// written it if it goes on.
	stopped bool
}

// side is where a connection is read or written.
type side struct {
	closed   bool
	deadline time.Time
	waiter
}

// unwrite takes back what a process wrote that was frozen and will never go on,
// but not that it has ended.
func (p *pipe) unwrite() {
	p.queue = slices.DeleteFunc(p.queue, func(k packet) bool {
		undone := k.stopped && !k.sent && !k.fin
		if undone {
			p.size -= len(k.data)
		}
		return undone
	})
}

// push takes data, or the end of it, at the time now.
func (p *pipe) push(now time.Time, data []byte, fin bool) {
	size := len(data)
	if p.link.Bandwidth > 0 {
		size = segment
	}
	for {
		k := packet{data: data[:min(size, len(data))], fin: fin, stopped: p.link.from.frozen}
		data = data[len(k.data):]
		if p.link.open() {
			p.send(now, &k)
		}
		p.queue = append(p.queue, k)
		p.size += len(k.data)
		if len(data) == 0 {
			break
		}
	}
	p.reader.rouse()
}

func (p *pipe) send(now time.Time, k *packet) {
	k.sent = true
	k.due = p.link.due(now, len(k.data))
	if k.due.Before(p.last) {
		k.due = p.last
	}
	p.last = k.due
}

// retime lets what is under way arrive earlier, if it would if it were sent now
// that the link is another.
func (p *pipe) retime(now time.Time) {
	p.last = now
	for i := range p.queue {
		k := &p.queue[i]
		if !k.sent || !k.due.After(now) {
			continue
		}
		if due := p.link.due(now, len(k.data)); due.Before(k.due) {
			k.due = due
		}
		if k.due.Before(p.last) {
			k.due = p.last
		}
		p.last = k.due
	}
	p.reader.rouse()
}

// settle brings p up to date after something has changed on its link or the
// way back.
func (p *pipe) settle(now time.Time) {
	for i := range p.queue {
		k := &p.queue[i]
		switch {
		case p.link.open() && !k.sent:
			p.send(now, k)
		case p.link.blocked && k.sent && k.due.After(now):
			k.sent = false // lost, and sent again some time
			p.last = now
		}
	}
	p.acknowledge(0)
	p.reader.rouse()
	p.writer.rouse()
}

// acknowledge lets the writer know that n more bytes were read, if it can.
func (p *pipe) acknowledge(n int) {
	p.unacked += n
	if !p.link.back.blocked {
		p.size -= p.unacked
		p.unacked = 0
		p.writer.rouse()
	}
}

// read reads what there is. If there is nothing, until is when to look again
// even if nothing changes; zero is never.
func (p *pipe) read(now time.Time, b []byte) (n int, until time.Time, err error) {
	until = p.reader.deadline
	switch {
	case p.reader.closed:
		return 0, until, net.ErrClosed
	case passed(now, until):
		return 0, until, errDeadline
	case p.broken:
		return 0, until, errReset
	case p.link.to.frozen:
		return 0, until, nil
	}
	for len(p.queue) > 0 && n < len(b) {
		k := &p.queue[0]
		if !k.sent || k.due.After(now) || k.fin {
			break
		}
		m := copy(b[n:], k.data)
		n += m
		if k.data = k.data[m:]; len(k.data) == 0 {
			p.queue[0] = packet{}
			p.queue = p.queue[1:]
		}
	}
	switch {
	case n > 0:
		p.acknowledge(n)
	case len(p.queue) == 0 || !p.queue[0].sent:
	case p.queue[0].due.After(now):
		if due := p.queue[0].due; until.IsZero() || due.Before(until) {
			until = due
		}
	case p.queue[0].fin:
		err = errEOF
	}
	return n, until, err
}

// write takes as much of b as there is room for.
func (p *pipe) write(now time.Time, b []byte) (n int, err error) {
	switch {
	case p.writer.closed:
		return 0, net.ErrClosed
	case passed(now, p.writer.deadline):
		return 0, errDeadline
	case p.broken, p.reader.closed && p.link.open() && !p.link.back.blocked:
		return 0, errReset
	}
	if n = min(len(b), capacity-p.size); n > 0 {
		p.push(now, append([]byte(nil), b[:n]...), false)
	}
	return n, nil
}

// closeRead is the end of the reader.
func (p *pipe) closeRead() {
	p.reader.closed = true
	p.empty()
}

// closeWrite is the end of the writer, which the reader learns of after
// everything else. It does so once.
func (p *pipe) closeWrite(now time.Time) {
	if p.writer.closed {
		return
	}
	p.writer.closed = true
	if !p.reader.closed {
		p.push(now, nil, true)
	}
	p.writer.rouse()
}

// reset breaks the pipe. What is under way is lost.
func (p *pipe) reset() {
	p.broken = true
	p.empty()
}

func (p *pipe) empty() {
	p.queue, p.size, p.unacked = nil, 0, 0
	p.reader.rouse()
	p.writer.rouse()
}

func passed(now, deadline time.Time) bool { return !deadline.IsZero() && !now.Before(deadline) }
