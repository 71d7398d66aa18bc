package codec_test

import (
	"errors"
	"fmt"
	"io"

	"github.com/topos-go/topos/remote/codec"
)

type Add struct{ N int }

// A registered type goes under its own name or one given to it; an error keeps
// its text and what it wraps.
func Example() {
	c, err := codec.New(codec.Config{Types: []codec.Type{codec.Named("shop.Add", Add{})}})
	if err != nil {
		panic(err)
	}
	v, _ := c.Encode(Add{N: 2})
	msg, _ := c.Decode(v)
	fmt.Printf("%s: %d bytes, %+v\n", v.Type, len(v.Data), msg)

	_, err = c.Encode(struct{ X int }{1})
	fmt.Println(errors.Is(err, codec.ErrUnknownType))

	reason := c.DecodeError(c.EncodeError(fmt.Errorf("reading cart 7: %w", io.ErrUnexpectedEOF)))
	fmt.Println(reason, errors.Is(reason, io.ErrUnexpectedEOF))
	// Output:
	// shop.Add: 4 bytes, {N:2}
	// true
	// reading cart 7: unexpected EOF true
}

// The type of a reply need not be registered: the caller knows it.
func ExampleLazy() {
	type total struct{ Sum int }
	c, _ := codec.New(codec.Config{})
	v, _ := c.EncodeReply(total{Sum: 5})

	var t total
	fmt.Println(c.Lazy(v).DecodeInto(&t), t.Sum)
	var s string
	fmt.Println(errors.Is(c.Lazy(v).DecodeInto(&s), codec.ErrDecode))
	// Output:
	// <nil> 5
	// true
}

// One looks its type up once.
func ExampleReader() {
	c, _ := codec.New(codec.Config{Types: []codec.Type{codec.Named("shop.Add", Add{})}})
	r, err := c.Reader(codec.CBOR, "shop.Add")
	if err != nil {
		panic(err)
	}
	for n := range 2 {
		v, _ := c.Encode(Add{N: n})
		fmt.Println(r.Read(v.Data))
	}
	_, err = c.Reader(codec.CBOR, "shop.Remove")
	fmt.Println(errors.Is(err, codec.ErrUnknownType))
	// Output:
	// {0} <nil>
	// {1} <nil>
	// true
}

// Values that came together are decoded together, up to the first that is none.
func ExampleReader_ReadAll() {
	c, _ := codec.New(codec.Config{})
	r, _ := c.Reader(codec.Bytes, "")
	values, err := r.ReadAll(nil, [][]byte{[]byte("one"), []byte("two")})
	fmt.Printf("%s %v\n", values, err)

	first := append(values[0].([]byte), " more"...) // leaves the second as it is
	fmt.Printf("%s, %s\n", first, values[1])

	r, _ = c.Reader(codec.CBOR, "int")
	values, err = r.ReadAll(nil, [][]byte{{1}, {2}, {0xff}, {4}})
	fmt.Println(values, errors.Is(err, codec.ErrDecode))
	// Output:
	// [one two] <nil>
	// one more, two
	// [1 2] true
}
