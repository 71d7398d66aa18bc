package crdt_test

import (
	"fmt"

	"github.com/topos-go/topos/crdtactor/crdt"
)

func ExampleCart() {
	// Two replicas of one cart. Each names itself in what it does.
	var phone, laptop crdt.Cart

	delta := phone.Add("phone-1", "tea", 2)
	laptop.Join(delta) // in a program: encoded, sent, decoded

	// Now they lose sight of each other and both go on.
	phone.Add("phone-1", "tea", 1)
	laptop.Remove("laptop-1", "tea")
	laptop.Add("laptop-1", "milk", 1)

	// When they meet again, the removal takes the two it saw, not the third.
	phone.Join(&laptop)
	laptop.Join(&phone)
	for item, quantity := range laptop.All() {
		fmt.Println(item, quantity)
	}
	fmt.Println(phone.Equal(&laptop))
	// Output:
	// milk 1
	// tea 1
	// true
}

func ExampleCart_Add() {
	var cart crdt.Cart
	cart.Add("a", "tea", 3)
	cart.Add("a", "tea", -1)
	fmt.Println(cart.Quantity("tea"))

	cart.Add("a", "tea", -5) // takes the two that are there
	cart.Add("a", "tea", 1)
	fmt.Println(cart.Quantity("tea"))
	// Output:
	// 2
	// 1
}

func ExampleCart_Compact() {
	var a, b crdt.Cart
	b.Join(a.Add("a", "tea", 1))

	// What b removes it must remember until a, who added it, has seen that.
	a.Join(b.Remove("b", "tea"))
	before, _ := b.MarshalBinary()
	b.Join(a.Compact("a"))
	after, _ := b.MarshalBinary()
	fmt.Println(len(before), "bytes, then", len(after))
	// Output:
	// 19 bytes, then 8
}
