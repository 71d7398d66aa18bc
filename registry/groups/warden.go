package groups

import (
	"maps"
	"slices"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/ledger"
)

// wardenRestarts is how often in five seconds the warden may be started anew.
const wardenRestarts = 10

// warden is the process that sees local members and watchers end. It monitors
// each of them once, until it has ended, whatever it joins and leaves.
type warden struct {
	groups *Groups
	minded map[actor.PID]bool
}

// mind asks the warden to see to the end of pid.
type mind struct{ pid actor.PID }

// Init implements actor.Initializer. A warden that was killed begins anew with
// those who are there.
func (w *warden) Init(self *actor.Self) error {
	w.minded = make(map[actor.PID]bool)
	w.groups.warden.Store(self.PID())
	var pids []actor.PID
	w.groups.shared.Do(func(*ledger.Ledger[record]) {
		pids = slices.Collect(maps.Keys(w.groups.mine))
	})
	for _, pid := range append(pids, w.groups.watchers.processes()...) {
		w.mind(self, pid)
	}
	return nil
}

// Receive implements actor.Actor.
func (w *warden) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case mind:
		w.mind(self, m.pid)
	case actor.Down:
		if pid, ok := m.Of.(actor.PID); ok {
			delete(w.minded, pid)
			w.groups.drop(pid)
		}
	}
	return nil
}

func (w *warden) mind(self *actor.Self, pid actor.PID) {
	if !w.minded[pid] {
		w.minded[pid] = true
		self.Monitor(pid)
	}
}

// mind lets the warden see to the end of pid. If there is no warden at this
// moment, the next one begins with everybody.
func (g *Groups) mind(pid actor.PID) {
	if warden, ok := g.warden.Load().(actor.PID); ok {
		_ = g.sys.Send(warden, mind{pid})
	}
}
