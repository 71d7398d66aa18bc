package actor

import (
	"testing"
	"unsafe"
)

func TestProcessIsThreeCacheLinesByWriter(t *testing.T) {
	const line = 64
	var p process
	if size := unsafe.Sizeof(p); size != 3*line {
		t.Errorf("a process has %d bytes", size)
	}
	for name, offset := range map[string]uintptr{"mu": unsafe.Offsetof(p.mu), "hand": unsafe.Offsetof(p.hand)} {
		if offset%line != 0 {
			t.Errorf("%s begins at %d, in the middle of a line", name, offset)
		}
	}
	var kept []*process // on the heap
	for range 100 {
		kept = append(kept, new(process))
	}
	for _, p := range kept {
		if at := uintptr(unsafe.Pointer(p)); at%line != 0 {
			t.Fatalf("the allocator puts a process at %#x", at)
		}
	}
	if size := unsafe.Sizeof(chunk{}); size > 1024-8 {
		t.Errorf("a chunk has %d bytes", size)
	}
}
