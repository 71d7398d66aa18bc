package actor

import (
	"sync"
	"sync/atomic"
)

// slab maps processIDs to processes. Lookup takes no lock: one bounds check,
// two loads of one cache line. It never forgets which generations a slot has
// seen, so an id is never used twice.
//
// Invariants:
//  1. A slot's id is the only id that can be found in it.
//  2. A slot's id only grows; it changes when the slot is released.
//  3. A slot whose generations are used up is never allocated again.
type slab struct {
	pages atomic.Pointer[[]*slabPage]

	mu   sync.Mutex // guards the rest
	free []uint32
	next uint32 // slots below next have been allocated at least once
	live int
}

const slabPageSlots = 1 << 10

type slabPage [slabPageSlots]slabSlot

type slabSlot struct {
	id   atomic.Uint64
	proc atomic.Pointer[process]
}

// find returns the process that id names now, or nil. It is small enough to be
// inlined.
//
// The process is read before the slot's id. Whoever has an id got it after its
// process was entered, and ids only grow: so if the slot still has the id
// afterwards, what was read is that process.
func (s *slab) find(id processID) *process {
	pages := *s.pages.Load()
	slot := uint64(id) & slotMask
	if page := slot / slabPageSlots; page < uint64(len(pages)) {
		e := &pages[page][slot%slabPageSlots]
		if p := e.proc.Load(); e.id.Load() == uint64(id) {
			return p
		}
	}
	return nil
}

// add gives p an id, or one more id. It fails when all slots are in use.
func (s *slab) add(p *process) (processID, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	slot := s.next
	if n := len(s.free); n > 0 {
		slot = s.free[n-1]
		s.free = s.free[:n-1]
	} else if slot >= maxSlots {
		return 0, false
	} else {
		s.next++
		s.grow(int(slot / slabPageSlots))
	}
	s.live++
	e := s.slot(slot)
	id := processID(e.id.Load())
	if id == 0 {
		id = makeProcessID(slot, 1)
		e.id.Store(uint64(id))
	}
	if p.id == 0 {
		p.id = id // before anybody can find p
	}
	e.proc.Store(p)
	return id, true
}

// remove ends the life of id. From now on find(id) is nil.
func (s *slab) remove(id processID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.slot(id.slot())
	if e.id.Load() != uint64(id) {
		return false
	}
	s.live--
	if id.generation() == lastGeneration {
		// Generation 0 is never handed out, so this slot finds nobody again.
		e.id.Store(uint64(makeProcessID(id.slot(), 0)))
		e.proc.Store(nil)
		return true
	}
	e.id.Store(uint64(makeProcessID(id.slot(), id.generation()+1)))
	e.proc.Store(nil)
	s.free = append(s.free, id.slot())
	return true
}

func (s *slab) slot(slot uint32) *slabSlot {
	return &(*s.pages.Load())[slot/slabPageSlots][slot%slabPageSlots]
}

// grow makes sure that page exists. Pages never move; only their directory is
// copied, so readers need no lock.
func (s *slab) grow(page int) {
	old := *s.pages.Load()
	if page < len(old) {
		return
	}
	pages := make([]*slabPage, len(old), max(4, 2*len(old)))
	copy(pages, old)
	pages = append(pages, new(slabPage))
	s.pages.Store(&pages)
}

// each calls f for every process until f returns false. Processes that start
// or end meanwhile may or may not be seen.
func (s *slab) each(f func(processID, *process) bool) {
	for _, page := range *s.pages.Load() {
		for i := range page {
			id := processID(page[i].id.Load())
			if p := page[i].proc.Load(); p != nil && !f(id, p) {
				return
			}
		}
	}
}

func (s *slab) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live
}

func (s *slab) init() { s.pages.Store(new([]*slabPage)) }
