package main

import (
	"context"
	"log/slog"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/behaviours/mesh"
)

// Ask is the request to every service; the answer is the name of the node that
// gave it.
type Ask struct{ N int }

// place is a node with its mesh.
type place struct {
	node *topos.Node
	mesh *mesh.Mesh
}

// startPlace starts a node that joins those at the addresses in join.
func startPlace(ctx context.Context, name string, join []string, observe func(mesh.Event)) (*place, error) {
	node, err := topos.Start(ctx, topos.Config{
		Name:   name,
		Secret: "mesh",
		Join:   join,
		Types:  topos.Types(Ask{}),
		Errors: mesh.WireErrors(),
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	p := &place{node: node}
	p.mesh, err = mesh.Start(ctx, mesh.Config{System: node.System, Groups: node.Groups(), Observe: observe})
	return p, err
}

func (p *place) close(ctx context.Context) {
	if p.mesh != nil {
		_ = p.mesh.Close(ctx)
	}
	_ = p.node.Close(ctx)
}
