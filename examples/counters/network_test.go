package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// echo is a server that sends back what it gets. It is one connection at a time.
func echo(t *testing.T, n *network) (addr string) {
	t.Helper()
	listener, err := n.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(conn, conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return listener.Addr().String()
}

func dial(t *testing.T, n *network, addr string) net.Conn {
	t.Helper()
	conn, err := n.Dial(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// hears reads text from conn, and nothing else.
func hears(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != text {
		t.Fatalf("%q, %v, want %q", got, err, text)
	}
}

func TestWhatMeetsACutIsHeldUntilItHeals(t *testing.T) {
	n := newNetwork()
	addr := echo(t, n)
	conn := dial(t, n, addr)
	if _, err := conn.Write([]byte("before ")); err != nil {
		t.Fatal(err)
	}
	hears(t, conn, "before ")
	n.cut([]string{addr, addr})
	if _, err := conn.Write([]byte("during ")); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if k, err := conn.Read(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%d bytes and %v have come across the cut", k, err)
	}
	n.heal()
	hears(t, conn, "during ")
	conn.Close()
	n.wait()
}

func TestACutDoesNotTellThatAConnectionHasEnded(t *testing.T) {
	n := newNetwork()
	listener, err := n.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	addr := listener.Addr().String()
	conn := dial(t, n, addr)
	other, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	n.cut([]string{addr})
	other.Close()
	_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%v has come across the cut", err)
	}
	n.heal()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatalf("%v, want the end that was held", err)
	}
}

func TestWhoDialsAcrossACutWaitsAndIsNotRefused(t *testing.T) {
	n := newNetwork()
	cut, open := echo(t, n), echo(t, n)
	n.cut([]string{cut})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := n.Dial(ctx, cut); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("%v, want that nothing has come in time", err)
	}
	conn := dial(t, n, open)
	_, _ = conn.Write([]byte("open"))
	hears(t, conn, "open")
	n.heal()
	conn = dial(t, n, cut)
	_, _ = conn.Write([]byte("healed"))
	hears(t, conn, "healed")
}

func TestConnectionsCloseAlthoughTheyAreCutOrFull(t *testing.T) {
	n := newNetwork()
	listener, err := n.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	addr := listener.Addr().String()
	full := dial(t, n, addr)
	_ = full.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
	for err == nil { // nobody reads
		_, err = full.Write(make([]byte, 1<<20))
	}
	held := dial(t, n, addr)
	n.cut([]string{addr})
	if _, err := held.Write([]byte("held")); err != nil {
		t.Fatal(err)
	}
	full.Close()
	held.Close()
	held.Close()
	n.wait()
}
