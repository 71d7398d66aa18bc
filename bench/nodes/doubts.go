package main

import (
	"fmt"
	"sync/atomic"

	"github.com/topos-go/topos/overlay/swim"
	"github.com/topos-go/topos/remote"
)

// doubts counts what the failure detectors of a process's nodes have found so far.
// Before any node is killed, all of it is in error.
type doubts struct{ suspected, refuted, failed atomic.Int64 }

// see is an observer of the node called self.
func (d *doubts) see(self string, ev remote.Event) {
	report, ok := ev.(remote.OverlayReport)
	if !ok {
		return
	}
	switch v := report.Value.(type) {
	case swim.Suspected:
		if v.By.Name == self {
			d.suspected.Add(1)
		}
	case swim.Refuted:
		d.refuted.Add(1)
	case swim.Failed:
		d.failed.Add(1)
	}
}

// doubted says what has been seen: Suspected by nodes themselves, whether they have told
// others or not, Refuted by those who were told of it, and Failed at each who said so.
type doubted struct {
	Suspected, Refuted, Failed int64 `json:",omitempty"`
}

func (d *doubts) sum() doubted {
	return doubted{d.suspected.Load(), d.refuted.Load(), d.failed.Load()}
}

func (d *doubted) add(more doubted) {
	d.Suspected, d.Refuted, d.Failed = d.Suspected+more.Suspected, d.Refuted+more.Refuted, d.Failed+more.Failed
}

func (d doubted) String() string {
	return fmt.Sprintf("%d suspected, %d refutations, %d failed", d.Suspected, d.Refuted, d.Failed)
}
