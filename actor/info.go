package actor

import (
	"fmt"
	"iter"
	"time"
)

// ProcessInfo is what is known of a process at one moment. It is a copy.
type ProcessInfo struct {
	PID    PID
	Parent PID // zero if it was spawned from outside a process
	// Names and ClusterNames are those it holds.
	Names        []Name
	ClusterNames []ClusterName
	Label        string
	// Type is the Go type of the actor that handles its messages.
	Type string
	// Status is "starting", "idle", "running" or "exiting".
	Status string
	// Queue is how many messages wait. Up to about a thousand that the process
	// has already taken in hand are not counted.
	Queue int
	// Links are the processes it is linked with.
	Links []PID
	// Monitors is how many monitors it holds, Watchers how many watch it.
	Monitors, Watchers int
	// Calls is how many requests it has accepted and not answered.
	Calls    int
	TrapExit bool
	Started  time.Time
}

// Info returns what is known of the local process pid.
func (s *System) Info(pid PID) (ProcessInfo, bool) {
	if pid.IsZero() || pid.node != s.node {
		return ProcessInfo{}, false
	}
	p := s.procs.find(pid.id)
	if p == nil {
		return ProcessInfo{}, false
	}
	return p.info(), true
}

func (p *process) info() ProcessInfo {
	p.mu.Lock()
	defer p.mu.Unlock()
	info := ProcessInfo{
		PID:     p.pid(),
		Type:    fmt.Sprintf("%T", p.actor),
		Status:  p.phase.String(),
		Queue:   int(p.mailbox.count),
		Started: time.Unix(0, p.born),
	}
	info.Parent = p.self().Parent()
	a := p.annex.Load()
	if a == nil {
		return info
	}
	info.Names = append(info.Names, a.names...)
	info.ClusterNames = append(info.ClusterNames, a.clusters...)
	info.Label = a.label
	info.Links = a.links.list()
	info.Monitors, info.Watchers = len(a.monitors), len(a.watchers)
	info.TrapExit = a.trap
	if a.bound != nil {
		info.Queue = a.bound.n
	}
	for c := a.calls.first; c != nil; c = c.next {
		info.Calls++
	}
	return info
}

// Processes iterates over the processes of this system. Processes that start
// or end meanwhile may or may not be among them.
func (s *System) Processes() iter.Seq[PID] {
	return func(yield func(PID) bool) {
		s.procs.each(func(id processID, p *process) bool {
			return id != p.id || yield(p.pid()) // an alias is not a process
		})
	}
}

// Tree is a process with the processes it spawned.
type Tree struct {
	ProcessInfo
	Children []Tree
}

// Trees returns all processes of this system as trees by parenthood, in the
// order of their PIDs' slots. A process whose parent has ended is a root.
func (s *System) Trees() []Tree {
	infos := make(map[processID]ProcessInfo)
	children := make(map[processID][]processID)
	var order []processID
	for pid := range s.Processes() {
		if info, ok := s.Info(pid); ok {
			infos[pid.id] = info
			order = append(order, pid.id)
		}
	}
	var roots []processID
	for _, id := range order {
		if parent := infos[id].Parent; !parent.IsZero() && infos[parent.id].PID == parent {
			children[parent.id] = append(children[parent.id], id)
		} else {
			roots = append(roots, id)
		}
	}
	var grow func(ids []processID) []Tree
	grow = func(ids []processID) []Tree {
		trees := make([]Tree, 0, len(ids))
		for _, id := range ids {
			trees = append(trees, Tree{infos[id], grow(children[id])})
		}
		return trees
	}
	return grow(roots)
}
