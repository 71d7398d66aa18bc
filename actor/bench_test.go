package actor

import (
	"context"
	"testing"
)

type sink struct {
	n, want int
	done    chan struct{}
}

func (s *sink) Receive(_ *Self, _ any) error {
	if s.n++; s.n == s.want {
		s.done <- struct{}{}
	}
	return nil
}

func BenchmarkTell(b *testing.B) {
	s, _ := NewSystem(Config{})
	defer s.Close(context.Background())
	a := &sink{want: b.N, done: make(chan struct{}, 1)}
	pid, _ := s.Spawn(context.Background(), a)
	msg := any(&struct{ a int }{})
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		s.Send(pid, msg)
	}
	<-a.done
}

func BenchmarkFanIn(b *testing.B) {
	s, _ := NewSystem(Config{})
	defer s.Close(context.Background())
	a := &sink{want: b.N / 8 * 8, done: make(chan struct{}, 1)}
	if b.N < 8 {
		return
	}
	pid, _ := s.Spawn(context.Background(), a)
	msg := any(&struct{ a int }{})
	b.ReportAllocs()
	b.ResetTimer()
	for range 8 {
		go func() {
			for range b.N / 8 {
				s.Send(pid, msg)
			}
		}()
	}
	<-a.done
}

type ping struct {
	peer PID
	left int
	done chan struct{}
}

func (p *ping) Receive(self *Self, msg any) error {
	if pid, ok := msg.(PID); ok {
		p.peer = pid
		return nil
	}
	if p.left == 0 {
		p.done <- struct{}{}
		return nil
	}
	p.left--
	self.Send(p.peer, msg)
	return nil
}

func BenchmarkBusy(b *testing.B) {
	s, _ := NewSystem(Config{})
	defer s.Close(context.Background())
	done := make(chan struct{}, 1000)
	var as []PID
	for range 500 {
		x, _ := s.Spawn(context.Background(), &ping{left: b.N / 1000, done: done})
		y, _ := s.Spawn(context.Background(), &ping{left: b.N / 1000, done: done})
		s.Send(x, y)
		s.Send(y, x)
		as = append(as, x)
	}
	msg := any(&struct{ a int }{})
	b.ReportAllocs()
	b.ResetTimer()
	for _, x := range as {
		s.Send(x, msg)
	}
	for range 500 {
		<-done
	}
}

type replier struct{}

func (replier) Receive(self *Self, msg any) error { return self.Reply(msg) }

func BenchmarkCall(b *testing.B) {
	s, _ := NewSystem(Config{})
	defer s.Close(context.Background())
	pid, _ := s.Spawn(context.Background(), replier{})
	type get struct{}
	b.ReportAllocs()
	for range b.N {
		if _, err := Call[get](context.Background(), s, pid, get{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSpawn(b *testing.B) {
	s, _ := NewSystem(Config{})
	defer s.Close(context.Background())
	b.ReportAllocs()
	for range b.N {
		s.Spawn(context.Background(), replier{})
	}
	b.StopTimer()
}
