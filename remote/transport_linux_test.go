package remote

import (
	"net"
	"syscall"
	"testing"
	"time"
)

func TestBothSidesOfAConnectionLimitWhatIsUnacknowledged(t *testing.T) {
	tcp := TCP{Unacknowledged: 3 * time.Second}
	l, err := tcp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			close(accepted)
			return
		}
		accepted <- c
	}()
	dialled, err := tcp.Dial(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]net.Conn{"dialled": dialled, "accepted": <-accepted} {
		defer c.Close()
		raw, err := c.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var ms int
		_ = raw.Control(func(fd uintptr) { ms, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout) })
		if ms != 3000 || err != nil {
			t.Errorf("%s: %d ms, %v", name, ms, err)
		}
	}
}
