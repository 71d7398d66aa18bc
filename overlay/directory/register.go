package directory

import (
	"cmp"
	"time"

	"github.com/topos-go/topos/overlay"
)

// Topology is the register that all directories have: how the cluster is wired.
const Topology = "topology"

// Register is one value of the whole cluster. The zero Register of a name has
// never been set.
type Register struct {
	Name     string
	Epoch    uint64
	Proposer overlay.Node
	Value    string
}

// Merge returns the one of r and s that counts, if they have the same name: the
// highest epoch, of the same the lowest proposer, and so a join-semilattice. If
// they have different names, the result is r.
func (r Register) Merge(s Register) Register {
	if r.Name == s.Name && cmp.Or(
		cmp.Compare(s.Epoch, r.Epoch), r.Proposer.Compare(s.Proposer), cmp.Compare(s.Value, r.Value)) > 0 {
		return s
	}
	return r
}

// Register returns the present value of the register called name. It is false if
// there is none, or it has never been set.
func (c *Core) Register(name string) (Register, bool) {
	r, ok := c.registers[name]
	return r, ok
}

// Propose sets the register called name to value, with the next epoch. Only the
// lowest member may, so that two conflict only while nodes differ on who that
// is, and then one of the two values is dropped everywhere. The error is
// [ErrNotLowest], [ErrUnknownRegister], [ErrTooLarge], [ErrExhausted], [ErrLeft] or
// [ErrSuperseded].
func (c *Core) Propose(now time.Time, name, value string) (Effects, error) {
	c.start(now)
	r, ok := c.registers[name]
	switch {
	case c.gone != nil:
		return nil, c.gone
	case !ok && !c.knows(name):
		return nil, ErrUnknownRegister
	case len(value) > c.cfg.MaxValue:
		return nil, ErrTooLarge
	case r.Epoch >= MaxNumber:
		return nil, ErrExhausted
	case c.Members()[0] != c.cfg.Self:
		return nil, ErrNotLowest
	}
	r = Register{Name: name, Epoch: r.Epoch + 1, Proposer: c.cfg.Self, Value: value}
	c.setRegister(r)
	c.emit(Broadcast{Values: []Register{r}})
	return c.take(), nil
}

func (c *Core) knows(register string) bool {
	for _, name := range c.cfg.Registers {
		if name == register {
			return true
		}
	}
	return false
}

// setRegister merges what is said of a register.
func (c *Core) setRegister(r Register) {
	if !c.knows(r.Name) || r.Epoch == 0 || r.Epoch > MaxNumber || len(r.Value) > c.cfg.MaxValue || validNode(r.Proposer) != nil {
		c.refused++
		return
	}
	old, ok := c.registers[r.Name]
	if ok {
		r = old.Merge(r)
	}
	if r != old {
		c.registers[r.Name] = r
		c.emit(Changed{r})
	}
}

func (c *Core) setRegisters(values []Register) {
	for _, r := range values[:min(len(values), maxRegisters)] {
		c.setRegister(r)
	}
}

// values returns all registers that are set, in the order of the Config.
func (c *Core) values() []Register {
	var all []Register
	for _, name := range c.cfg.Registers {
		if r, ok := c.registers[name]; ok {
			all = append(all, r)
		}
	}
	return all
}

// sumOf is equal for equal registers, in whatever order.
func sumOf(values []Register) uint64 {
	sum := uint64(0)
	for _, r := range values {
		h := mix(hashString(keyOf(r.Name), r.Value) ^ r.Epoch)
		h = mix(hashString(h, r.Proposer.Name) ^ r.Proposer.Boot)
		sum += mix(hashString(h, r.Proposer.Unique))
	}
	return sum
}
