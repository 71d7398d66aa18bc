package main

import (
	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// depot counts the parcels that arrive, and says how many when asked. It is the
// same code as before.
type depot struct{ parcels uint64 }

func (d *depot) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *wrapperspb.BytesValue:
		d.parcels++
	case *wrapperspb.StringValue:
		ctx.Respond(wrapperspb.UInt64(d.parcels))
	}
}
