package supervisor

import (
	"fmt"
	"slices"
	"time"
)

// model is a supervisor as one would explain it: whoever ends is restarted or
// not, siblings with it, in no time at all. The tests compare the plan and the
// process with it.
type model struct {
	strategy Strategy
	limit    int
	period   time.Duration
	auto     AutoShutdown

	children []*modelChild // in the order of their start
	restarts []time.Time
	over     bool
}

type modelChild struct {
	id          string
	restart     Restart
	significant bool
	running     bool
	starts      int
	restarts    int
}

func (m *model) find(id string) *modelChild {
	for _, c := range m.children {
		if c.id == id {
			return c
		}
	}
	return nil
}

func (m *model) remove(c *modelChild) {
	m.children = slices.DeleteFunc(m.children, func(o *modelChild) bool { return o == c })
}

func (m *model) start(c *modelChild) {
	c.running = true
	c.starts++
}

// add is StartChild and StartInstance.
func (m *model) add(c *modelChild, refuses bool) {
	if refuses || m.strategy != SimpleOneForOne && m.find(c.id) != nil {
		return
	}
	m.children = append(m.children, c)
	m.start(c)
}

// stop leaves c without a process.
func (m *model) stop(c *modelChild) {
	c.running = false
	if c.restart == Temporary || m.strategy == SimpleOneForOne {
		m.remove(c)
	}
}

// end is the end of a running child.
func (m *model) end(now time.Time, c *modelChild, abnormal bool, refuses map[string]bool) {
	if c.restart == Permanent || c.restart == Transient && abnormal {
		c.running = false
		m.revive(now, c, refuses)
		return
	}
	m.stop(c)
	if !c.significant || m.auto == Never {
		return
	}
	if m.auto == AllSignificant {
		for _, s := range m.children {
			if s.significant && s.running {
				return
			}
		}
	}
	m.over = true
}

// revive restarts c and its siblings, again and again if a start fails.
func (m *model) revive(now time.Time, c *modelChild, refuses map[string]bool) {
	for {
		m.restarts = append(m.restarts, now)
		recent := 0
		for _, at := range m.restarts {
			if now.Sub(at) <= m.period {
				recent++
			}
		}
		if recent > m.limit {
			m.over = true
			return
		}
		c.restarts++
		from, to := slices.Index(m.children, c), len(m.children)
		switch m.strategy {
		case OneForAll:
			from = 0
		case OneForOne, SimpleOneForOne:
			to = from + 1
		}
		group := slices.Clone(m.children[from:to])
		for _, s := range group {
			if s != c {
				m.stop(s)
			}
		}
		c = m.startGroup(group, refuses)
		if c == nil {
			return
		}
	}
}

// startGroup starts a group in order and returns the one that refuses.
func (m *model) startGroup(group []*modelChild, refuses map[string]bool) *modelChild {
	for _, s := range group {
		if !slices.Contains(m.children, s) {
			continue // it was temporary
		}
		if refuses[s.id] {
			return s
		}
		m.start(s)
	}
	return nil
}

// String lists the children as a plan's infos are listed.
func (m *model) String() string {
	var all []string
	for _, c := range m.children {
		status := Stopped
		if c.running {
			status = Running
		}
		all = append(all, fmt.Sprintf("%s %v restarts %d", c.id, status, c.restarts))
	}
	return fmt.Sprint(all)
}

// infosText is the like of model.String for what a supervisor answers.
func infosText(infos []ChildInfo) string {
	var all []string
	for _, c := range infos {
		all = append(all, fmt.Sprintf("%s %v restarts %d", c.ID, c.Status, c.Restarts))
	}
	return fmt.Sprint(all)
}
