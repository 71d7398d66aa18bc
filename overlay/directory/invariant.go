package directory

import (
	"errors"
	"fmt"
	"slices"

	"github.com/topos-go/topos/overlay"
)

// valid reports what is wrong with the invariants. It takes time in proportion
// to the number of names.
func (c *Core) valid() error {
	var errs []error
	check := func(ok bool, what string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("directory: invariant broken: "+what, args...))
		}
	}
	dead, up, entries := 0, 0, 0
	doubted := make(map[overlay.Node]bool)
	for i, d := range c.doubts {
		check(i == 0 || !d.until.Before(c.doubts[i-1].until), "4: order of doubts")
		if c.doubted(d) {
			doubted[d.node] = true
		}
	}
	var members []overlay.Node
	for i := range c.table.buckets {
		b := &c.table.buckets[i]
		again := bucket{}
		for j := range b.entries {
			e := c.table.of(&b.entries[j])
			entries++
			again.weigh(e, 1)
			check(e.key == keyOf(e.node.Name) && c.table.index(e.key) == i, "1: %v in bucket %d", e.node, i)
			if j > 0 {
				last := c.table.of(&b.entries[j-1])
				check(last.key < e.key || last.key == e.key && last.node.Name < e.node.Name, "1: order of %v", e.node)
			}
			if e.up {
				up++
				members = append(members, e.node)
			}
			if e.status().Dead() {
				dead++
			}
			errs = append(errs, c.validEntry(e, doubted[e.node]))
		}
		check(again.sum == b.sum && again.told == b.told, "1: sum of bucket %d", i)
	}
	check(entries == c.table.len && entries <= c.cfg.MaxMembers, "6: %d names, not %d", entries, c.table.len)
	check(dead == len(c.tombs.byName) && dead == len(c.tombs.phases.tombs) && dead <= c.cfg.MaxTombstones, "2: %d dead, %d tombs", dead, len(c.tombs.byName))
	check(up == c.table.up, "4: %d members, not %d", up, c.table.up)
	slices.SortFunc(members, overlay.Node.Compare)
	check(slices.Equal(members, c.Members()), "4: snapshot of members")
	self := c.table.find(c.cfg.Self.Name)
	check(c.gone != nil || !self.none() && self.up && self.node == c.cfg.Self && self.status() == Alive, "5: this node")
	check(len(c.registers) <= len(c.cfg.Registers), "7: %d registers", len(c.registers))
	for name, r := range c.registers {
		check(c.knows(name) && r.Name == name && r.Epoch > 0 && len(r.Value) <= c.cfg.MaxValue, "7: register %s", name)
	}
	x := &c.exchange
	check(len(x.ranges) <= maxRanges+maxAsked && len(x.asked) <= maxAsked && len(x.push) <= c.cfg.MaxMembers && len(x.wanted) <= leaf, "8: exchange")
	check(x.busy() || len(x.ranges)+len(x.push) == 0, "8: work without an exchange")
	check(len(c.doubts) <= 2*c.cfg.MaxMembers && c.asked >= 0 && c.asked <= len(c.doubts), "4: %d doubts", len(c.doubts))
	return errors.Join(append(errs, c.validTracker())...)
}

func (c *Core) validEntry(e entry, doubted bool) error {
	status := e.status()
	t := c.tombs.byName[e.node.Name]
	switch {
	case status.Dead() != (t != nil):
		return fmt.Errorf("directory: invariant broken: 2: %v is %v", e.node, status)
	case t != nil && (t.name != e.node.Name || c.tombs.phases.tombs[t.slots[byPhase]] != t || e.faded && t.until.Before(t.died)):
		return fmt.Errorf("directory: invariant broken: 2: tomb of %v", e.node)
	case t != nil && (t.slots[byTry] >= 0) == (status == Left):
		return fmt.Errorf("directory: invariant broken: 3: %v is %v, tried: %d", e.node, status, t.slots[byTry])
	case t == nil && (!e.up || e.faded), status == Left && e.up:
		return fmt.Errorf("directory: invariant broken: 4: %v is %v, a member: %v", e.node, status, e.up)
	case t != nil && e.up && !doubted:
		return fmt.Errorf("directory: invariant broken: 4: no end to the doubt of %v", e.node)
	}
	return e.fact().valid(c.cfg.MaxMeta)
}

func (c *Core) validTracker() error {
	p := &c.parted
	for _, r := range p.recent {
		if e := c.table.find(r.node.Name); e.none() || e.up && e.node == r.node {
			return fmt.Errorf("directory: invariant broken: 9: %v is not silent", r.node)
		}
	}
	if p.split == nil {
		return nil
	}
	var counts [fates]int
	for node, f := range p.split.there {
		counts[f]++
		e := c.table.find(node.Name)
		if f == away && (e.none() || e.up && e.node == node) || (f == back || f == healed) && (e.none() || !e.up || e.node != node) {
			return fmt.Errorf("directory: invariant broken: 9: fate %d of %v", f, node)
		}
	}
	if counts != p.split.counts || counts[away]+counts[back] == 0 {
		return fmt.Errorf("directory: invariant broken: 9: counts %v, not %v", p.split.counts, counts)
	}
	return nil
}
