package dialect_test

import (
	"fmt"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/hyparview"
	"github.com/topos-go/topos/remote/dialect"
)

func Example() {
	b, err := dialect.Append(nil, hyparview.ForwardJoin{Node: overlay.Node{Name: "a@h:1", Boot: 1}, TTL: 6})
	fmt.Println(len(b), "bytes", err)
	m, err := dialect.Parse(b)
	fmt.Printf("%+v %v\n", m, err)
	// Output:
	// 14 bytes <nil>
	// {Node:a@h:1/1- TTL:6} <nil>
}
