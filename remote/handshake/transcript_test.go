package handshake

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/wire"
)

// side makes a Config from the arguments of a transcript's line.
func side(t *testing.T, d *datadriven.TestData) *Config {
	cfg := &Config{Cluster: "topos", Secret: []byte("secret"), MinVersion: 1, MaxVersion: 1, MaxPayload: 1000}
	for _, arg := range d.CmdArgs {
		v := ""
		if len(arg.Vals) > 0 {
			v = arg.Vals[0]
		}
		switch arg.Key {
		case "node":
			cfg.Self = node(t, v)
		case "cluster":
			cfg.Cluster = v
		case "secret":
			cfg.Secret = []byte(v)
		case "versions":
			if _, err := fmt.Sscanf(v, "%d-%d", &cfg.MinVersion, &cfg.MaxVersion); err != nil {
				t.Fatal(err)
			}
		case "features":
			n, err := strconv.ParseUint(v, 2, 64)
			if err != nil {
				t.Fatal(err)
			}
			cfg.Features = n
		}
	}
	return cfg
}

// node reads "name@addr/boot".
func node(t *testing.T, s string) actor.NodeID {
	if s == "" || s == "any" {
		return actor.NodeID{}
	}
	id, err := actor.ParseNodeID(s + "-u")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// conversation is a handshake between two sides, of which a transcript is made.
type conversation struct {
	out      *strings.Builder
	dialler  *Dialler
	accepter *Accepter
}

// frame decodes one whole frame.
func frame(b []byte) wire.Frame {
	d := wire.NewDecoder(wire.Handshake())
	for len(b) > 0 {
		n := copy(d.Space(), b)
		d.Advance(n)
		b = b[n:]
	}
	f, _, err := d.Next()
	if err != nil {
		panic(err)
	}
	return f
}

func (c *conversation) say(who string, b []byte) {
	f := frame(b)
	var m fmt.Stringer
	switch f.Kind {
	case wire.KindHello:
		var h wire.Hello
		_ = h.Unmarshal(f.Head)
		h.Nonce = h.Nonce[:1]
		m = &h
	case wire.KindProof:
		var p wire.Proof
		_ = p.Unmarshal(f.Head)
		attach, err := decodeAttach(p.Attach)
		fmt.Fprintf(c.out, "%s: proof %x, %+v %v\n", who, p.Mac, attach, err)
		return
	case wire.KindRefusal:
		var r wire.Refusal
		_ = r.Unmarshal(f.Head)
		m = &r
	}
	fmt.Fprintf(c.out, "%s: %v %v\n", who, f.Kind, m)
}

// run lets the two sides talk until one has an error or both are done.
func (c *conversation) run(refuse error) {
	hello := c.dialler.Hello()
	c.say("dialler", hello)
	answer, probe, err := c.accepter.Greeted(frame(hello))
	if err != nil {
		c.refuse(err)
		return
	}
	c.say("accepter", answer)
	peer, err := c.dialler.Greeted(frame(answer))
	fmt.Fprintf(c.out, "dialler knows: %v version %d features %b payload %d\n", peer.Node, peer.Version, peer.Features, peer.MaxPayload)
	if err != nil || probe {
		fmt.Fprintf(c.out, "dialler ends: %v\n", err)
		return
	}
	proof := c.dialler.Prove(Attach{Channel: "default", Lane: 1, Association: 5, Epoch: 2, Received: 70})
	c.say("dialler", proof)
	peer, attach, err := c.accepter.Proven(frame(proof))
	if err == nil {
		err = refuse
	}
	if err != nil {
		c.refuse(err)
		return
	}
	fmt.Fprintf(c.out, "accepter knows: %v version %d features %b payload %d, %+v\n", peer.Node, peer.Version, peer.Features, peer.MaxPayload, attach)
	grant := c.accepter.Accept(Attach{Channel: "default", Lane: 1, Association: 9, Known: 5, Epoch: 3, Received: 80})
	c.say("accepter", grant)
	theirs, err := c.dialler.Accepted(frame(grant))
	fmt.Fprintf(c.out, "dialler has: %+v %v\n", theirs, err)
}

// refuse tells the dialler that the accepter has ended the handshake.
func (c *conversation) refuse(err error) {
	fmt.Fprintf(c.out, "accepter ends: %v\n", err)
	refusal := Refuse(err)
	c.say("accepter", refusal)
	if c.dialler.theirs == nil {
		_, err = c.dialler.Greeted(frame(refusal))
	} else {
		_, err = c.dialler.Accepted(frame(refusal))
	}
	fmt.Fprintf(c.out, "dialler ends: %v\n", err)
}

func TestTranscriptsOfBothSides(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		var dialler, accepter *Config
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "dialler":
				dialler = side(t, d)
			case "accepter":
				accepter = side(t, d)
			case "run":
				c := &conversation{out: new(strings.Builder)}
				var expect actor.NodeID
				if d.HasArg("expect") {
					var s string
					d.ScanArgs(t, "expect", &s)
					expect = node(t, s)
				}
				var refuse error
				if d.HasArg("refuse") {
					refuse = map[string]error{"duplicate": ErrDuplicate, "stale": ErrStale, "old": ErrOldIncarnation}[d.CmdArgs[len(d.CmdArgs)-1].Vals[0]]
				}
				c.dialler = NewDialler(dialler, Nonce{1}, expect, d.HasArg("probe"))
				c.accepter = NewAccepter(accepter, Nonce{2})
				c.run(refuse)
				return c.out.String()
			default:
				t.Fatalf("unknown command %q", d.Cmd)
			}
			return ""
		})
	})
}

// pair returns two sides that agree.
func pair() (*Config, *Config) {
	a := &Config{Self: actor.NodeID{Name: "a@x:1", Incarnation: actor.Incarnation{Boot: 1, Unique: "u"}}, Cluster: "c", Secret: []byte("s"), MinVersion: 1, MaxVersion: 1}
	b := *a
	b.Self.Name = "b@x:2"
	return a, &b
}

func TestReflectedProofIsRefused(t *testing.T) {
	// An accepter without the secret opens a connection of its own to the
	// dialler, to have it compute the proof that it needs.
	a, _ := pair()
	d := NewDialler(a, Nonce{1}, actor.NodeID{}, false)
	d.Hello()
	mirror := *a
	mirror.Self.Name = "m@x:3"
	m := NewAccepter(&mirror, Nonce{1}) // the same nonce back
	answer, _, err := m.Greeted(frame(d.mine))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Greeted(frame(answer)); err != nil {
		t.Fatal(err)
	}
	proof := d.Prove(Attach{Channel: "default", Lane: 1})
	if _, err := d.Accepted(frame(proof)); !errors.Is(err, ErrSecret) {
		t.Errorf("its own proof came back: %v", err)
	}
}

func TestReplayedProofIsRefused(t *testing.T) {
	a, b := pair()
	prove := func(nonce byte, replay []byte) ([]byte, error) {
		d, acc := NewDialler(a, Nonce{7}, actor.NodeID{}, false), NewAccepter(b, Nonce{nonce})
		answer, _, err := acc.Greeted(frame(d.Hello()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Greeted(frame(answer)); err != nil {
			t.Fatal(err)
		}
		proof := d.Prove(Attach{Channel: "default", Lane: 1})
		if replay != nil {
			proof = replay
		}
		_, _, err = acc.Proven(frame(proof))
		return proof, err
	}
	proof, err := prove(1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := prove(2, proof); !errors.Is(err, ErrSecret) {
		t.Errorf("an old proof is taken: %v", err)
	}
}

func TestEveryChangedByteOfTheConversationIsNoticed(t *testing.T) {
	// Whoever is between the two changes one byte of one frame: no side may
	// come to believe something else than the other one said.
	change := func(b []byte, at int) []byte {
		b = bytes.Clone(b)
		b[wire.HeaderSize+at] ^= 1
		return b
	}
	for which := range 4 {
		for at := 0; ; at++ {
			a, b := pair()
			d, acc := NewDialler(a, Nonce{1}, actor.NodeID{}, false), NewAccepter(b, Nonce{2})
			tampered := false
			pass := func(i int, f []byte) []byte {
				if i == which && at < len(f)-wire.HeaderSize {
					tampered = true
					return change(f, at)
				}
				return f
			}
			err := func() error {
				answer, _, err := acc.Greeted(frame(pass(0, d.Hello())))
				if err != nil {
					return err
				}
				if _, err := d.Greeted(frame(pass(1, answer))); err != nil {
					return err
				}
				if _, _, err := acc.Proven(frame(pass(2, d.Prove(Attach{Channel: "default", Lane: 1, Association: 3})))); err != nil {
					return err
				}
				_, err = d.Accepted(frame(pass(3, acc.Accept(Attach{Channel: "default", Lane: 1, Association: 4}))))
				return err
			}()
			if !tampered {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
			if err == nil {
				t.Fatalf("byte %d of frame %d changed, and nobody noticed", at, which)
			}
		}
	}
}

func TestRefusalsKeepTheirReasonAcrossTheWire(t *testing.T) {
	for _, c := range codes {
		err := refused(frame(Refuse(fmt.Errorf("more: %w", c.err))))
		var r *RefusedError
		if !errors.Is(err, c.err) || !errors.As(err, &r) {
			t.Errorf("%v came as %v", c.err, err)
		}
	}
	if err := refused(frame(Refuse(errors.New("something else")))); err == nil || errors.Unwrap(err) != nil {
		t.Errorf("got %v", err)
	}
}
