package protoactor

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"

	proto "github.com/asynkron/protoactor-go/actor"

	"github.com/topos-go/topos/actor"
)

// Child returns the start function of an actor of theirs as a child of our
// supervisors. The child is a process of ours with everything that belongs to
// one: links, monitors, names, exit reasons, a deadline to stop by. Its actor
// is spawned anew for every start, by the name of the first actor.Name among
// opts, else by one that no actor had before or will have.
//
// The start returns when the actor has handled Started; a panic there is its
// error. After that a panic ends the process with an *actor.PanicError, and the
// supervisor decides what happens. An actor whose props have a guardian, by
// proto.WithGuardian, is restarted and resumed in place by that strategy
// instead, as before; the process ends with a *Failure when the strategy stops
// it or escalates. Children that the actor spawns are hosted too, and
// supervised by their parent's strategy.
//
// An actor that stops itself ends its process with actor.ErrNormal. A process
// that is told to end tells its actor Stopping, stops the actor's children,
// waits for them, and tells it Stopped. A kill does none of that.
//
// Of props everything works but the mailbox and the dispatcher, which are the
// process's: bound it by an actor.Mailbox among opts. Props with a spawn function of their own,
// such as routers, are not hosted but stood in for: messages pass through the
// child's process. Nil props are the error of every start.
func (b *Bridge) Child(props *proto.Props, opts ...actor.SpawnOption) actor.StartFunc {
	id := ""
	for _, opt := range opts {
		if name, ok := opt.(actor.Name); ok && id == "" {
			id = string(name)
		}
	}
	opts = append([]actor.SpawnOption{unbounded}, opts...)
	return func(parent *actor.Self, _ ...any) (actor.PID, error) {
		return parent.SpawnLink(b.newActor(props, id), opts...)
	}
}

// New returns an actor of ours that hosts one of theirs, as [Bridge.Child] does,
// for those who spawn it themselves: a process by itself, or the constructor by
// which other nodes spawn it here, in the place of a kind of their remote. Each
// process needs an actor of its own.
func (b *Bridge) New(props *proto.Props) actor.Actor { return b.newActor(props, "") }

// newActor returns the actor of a process for props. id is the name on their
// side, if it is given one.
func (b *Bridge) newActor(props *proto.Props, id string) actor.Actor {
	if props != nil && has(props, "spawner") {
		return &standIn{b: b, props: b.hostedProps(props), id: id}
	}
	box := newMailbox(b)
	h := &host{b: b, box: box}
	if props == nil {
		h.spawn = func() error { return fmt.Errorf("%w: no Props", ErrConfig) }
		return h
	}
	h.guarded = has(props, "guardianStrategy")
	h.spawn = func() error { return b.spawnChild(props, box, id) }
	return h
}

// spawnChild makes the actor of a host.
func (b *Bridge) spawnChild(props *proto.Props, box *mailbox, id string) error {
	if b.ctx.Err() != nil {
		return ErrBridgeClosed
	}
	if id == "" {
		id = b.childID(box.pid)
	}
	props = props.Clone(
		proto.WithMailbox(func() proto.Mailbox { return box }),
		proto.WithSpawnMiddleware(b.spawnHosted),
	)
	_, err := b.child.SpawnNamed(props, id)
	if errors.Is(err, proto.ErrNameExists) && b.evict(id) {
		_, err = b.child.SpawnNamed(props, id)
	}
	if err != nil {
		return fmt.Errorf("%w: %q", ErrActorExists, id)
	}
	return nil
}

// childID is the id of the actor of a host: as unique as the host's PID.
func (b *Bridge) childID(pid actor.PID) string { return "topos$" + strconv.FormatUint(pid.ID(), 36) }

// evict frees the name of a hosted actor whose process has ended, if that has
// not been noticed yet.
func (b *Bridge) evict(id string) bool {
	box, ok := b.boxes.Load(id)
	if !ok || b.sys.Alive(box.(*mailbox).pid) {
		return false
	}
	box.(*mailbox).unregister()
	return true
}

// Root returns a root context whose actors are hosted: each has a process of
// ours. Their supervision remains theirs. It is used in place of the actor
// system's Root.
func (b *Bridge) Root() *proto.RootContext {
	return b.plain.Copy().WithSpawnMiddleware(func(proto.SpawnFunc) proto.SpawnFunc {
		return func(_ *proto.ActorSystem, id string, props *proto.Props, _ proto.SpawnerContext) (*proto.PID, error) {
			return b.plain.SpawnNamed(b.hostedProps(props), id)
		}
	})
}

// spawnHosted is the middleware by which the children of hosted actors are
// hosted.
func (b *Bridge) spawnHosted(next proto.SpawnFunc) proto.SpawnFunc {
	return func(as *proto.ActorSystem, id string, props *proto.Props, parent proto.SpawnerContext) (*proto.PID, error) {
		return next(as, id, b.hostedProps(props), parent)
	}
}

// hostedProps returns props whose actors are hosted, and their children. Those
// with a mailbox of their own keep it, and are not hosted.
func (b *Bridge) hostedProps(props *proto.Props) *proto.Props {
	if has(props, "mailboxProducer") {
		return props.Clone(proto.WithSpawnMiddleware(b.spawnHosted))
	}
	return props.Clone(
		proto.WithMailbox(func() proto.Mailbox { return newMailbox(b) }),
		proto.WithSpawnMiddleware(b.spawnHosted),
	)
}

// has reports whether an unexported field of props is set.
func has(props *proto.Props, field string) bool {
	f := reflect.ValueOf(props).Elem().FieldByName(field)
	return f.IsValid() && !f.IsNil()
}

// guardian is the strategy above the actors of children: a failure that comes
// up to it ends the child's process.
type guardian struct{ b *Bridge }

// HandleFailure is proto.SupervisorStrategy's.
func (g *guardian) HandleFailure(_ *proto.ActorSystem, _ proto.Supervisor, who *proto.PID,
	_ *proto.RestartStatistics, reason, _ any,
) {
	f, ok := reason.(*Failure)
	if !ok {
		f = &Failure{Actor: who.Id, Reason: reason}
	}
	if box, ok := g.b.hosted(who); ok {
		box.PostSystemMessage(f)
	}
}

// Resolve returns the process of ours that stands for pid: that which hosts its
// actor, that which pid was made of, or, for an actor that is not hosted, one
// that passes messages on to it and ends when it does. pid may be on another
// node that has a bridge.
func (b *Bridge) Resolve(ctx context.Context, pid *proto.PID) (actor.PID, error) {
	if pid == nil {
		return actor.PID{}, actor.ErrNoProc
	}
	if pid.Address == toposAddress {
		to, ok := parse(pid.Id)
		if !ok {
			return actor.PID{}, actor.ErrNoProc
		}
		if p, found := b.pidOf(to); found {
			return p, nil
		}
		return actor.PID{}, actor.ErrNoProc
	}
	if !b.local(pid) {
		return b.resolveAbroad(ctx, pid)
	}
	if box, ok := b.hosted(pid); ok {
		return box.pid, nil
	}
	if _, ok := b.actors.ProcessRegistry.GetLocal(pid.Id); !ok {
		return actor.PID{}, actor.ErrNoProc
	}
	// The gateway has one stand-in for each.
	return actor.Call[actor.PID](ctx, b.sys, b.gateway, &standInFor{proto.NewPID(b.address, pid.Id)})
}
