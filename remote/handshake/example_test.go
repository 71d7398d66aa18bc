package handshake_test

import (
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/handshake"
	"github.com/topos-go/topos/remote/wire"
)

// send stands for a connection: it turns the bytes of one frame into the frame.
func send(b []byte) wire.Frame {
	d := wire.NewDecoder(wire.Handshake())
	d.Advance(copy(d.Space(), b))
	f, _, _ := d.Next()
	return f
}

// Two nodes prove to each other that they know the secret.
func Example() {
	node := func(name string) actor.NodeID {
		return actor.NodeID{Name: name, Incarnation: actor.Incarnation{Boot: 1, Unique: "x"}}
	}
	a := handshake.Config{Self: node("a@host:1"), Cluster: "shop", Secret: []byte("secret"), MinVersion: 1, MaxVersion: 1}
	b := handshake.Config{Self: node("b@host:2"), Cluster: "shop", Secret: []byte("secret"), MinVersion: 1, MaxVersion: 1}

	dialler := handshake.NewDialler(&a, handshake.Nonce{1}, actor.NodeID{}, false)
	accepter := handshake.NewAccepter(&b, handshake.Nonce{2})

	answer, _, _ := accepter.Greeted(send(dialler.Hello()))
	_, _ = dialler.Greeted(send(answer))
	peer, attach, err := accepter.Proven(send(dialler.Prove(handshake.Attach{Channel: "default", Lane: 1, Association: 7})))
	fmt.Println(peer.Node.Name, "wants lane", attach.Lane, err)

	theirs, err := dialler.Accepted(send(accepter.Accept(handshake.Attach{Channel: "default", Lane: 1, Association: 3, Known: 7})))
	fmt.Println("granted:", theirs.Known == 7, err)
	// Output:
	// a@host:1 wants lane 1 <nil>
	// granted: true <nil>
}
