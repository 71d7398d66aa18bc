package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/internal/crowd"
	"github.com/topos-go/topos/remote"
)

// event is what a member tells the director: that another node, as it sees it, has
// come or gone.
type event struct {
	Kind  string // "up", "down" or "left"
	Node  string `json:",omitempty"`
	At    int64  `json:",omitempty"` // wall clock, ns
	Error string `json:",omitempty"` // why it is down
}

// kind is an event's name.
func kind(k remote.MemberEventKind) string {
	switch k {
	case remote.MemberUp:
		return "up"
	case remote.MemberDown:
		return "down"
	}
	return "left"
}

// serve runs a member until its director is gone.
func serve(ctx context.Context, setup crowd.Setup, commands <-chan struct{}, tell func(event)) error {
	node, err := topos.Start(ctx, topos.Config{
		Name: setup.Name, Listen: setup.Listen, Join: setup.Join, Secret: "detect",
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	cancel := node.Subscribe(func(e remote.MemberEvent) {
		heard := event{Kind: kind(e.Kind), Node: e.Node.Name, At: time.Now().UnixNano()}
		if e.Reason != nil {
			heard.Error = e.Reason.Error()
		}
		tell(heard)
	})
	defer cancel()
	for range commands { // there are none
	}
	return node.Close(ctx)
}
