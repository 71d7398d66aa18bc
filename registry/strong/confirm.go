package strong

import (
	"context"
	"encoding/binary"

	"github.com/hashicorp/raft"
)

// confirm implements readers.confirm: it asks the voters whether they have gone
// on to a later term. It fails if the voters change meanwhile, since the
// majority that was asked may not be one any more.
func (l *leader) confirm(ctx context.Context) error {
	term := l.ready()
	if !l.stands(term) {
		return errNotLeader
	}
	before := l.rep.raft.GetConfiguration()
	var voters []raft.ServerID
	for _, s := range before.Configuration().Servers {
		if s.Suffrage == raft.Voter {
			voters = append(voters, s.ID)
		}
	}
	b := &ballot{needed: len(voters)/2 + 1, open: len(voters), decided: make(chan error, 1)}
	for _, id := range voters {
		if id == l.rep.id {
			b.vote(true) // what it says is looked at below, after the others
			continue
		}
		l.ask(id, term, b.vote)
	}
	if err := b.wait(ctx, l.rep.r.cfg.Election); err != nil {
		return err
	}
	if !l.stands(term) || l.rep.raft.GetConfiguration().Index() != before.Index() {
		return errNotLeader
	}
	return nil
}

// ask asks a voter whether it is in no later term than this.
func (l *leader) ask(id raft.ServerID, term uint64, vote func(yes bool)) {
	node, up := l.rep.r.roster.locate(id)
	if !up {
		vote(false)
		return
	}
	l.rep.r.x.ask(node, frame{kind: kindConfirm, epoch: l.rep.epoch.Load(), to: string(id)}, func(body []byte, err error) {
		r := reader{b: body}
		its := r.uint()
		vote(err == nil && r.end() == nil && its <= term)
	})
}

// decodeTerm reads the body of a view.
func decodeTerm(b []byte) (uint64, error) {
	term, n := binary.Uvarint(b)
	if n <= 0 || n != len(b) {
		return 0, errMalformed
	}
	return term, nil
}
