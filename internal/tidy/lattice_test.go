package tidy

import (
	"strings"
	"testing"
)

func TestLatticeNamesEachPatternOnce(t *testing.T) {
	seen := make(map[string]bool)
	for _, places := range lattice {
		for _, p := range places {
			if p.packages == "" {
				t.Error("a place without packages")
			}
			for pattern := range strings.FieldsSeq(p.packages) {
				if seen[pattern] {
					t.Errorf("%s stands in the lattice twice", pattern)
				}
				seen[pattern] = true
			}
		}
	}
}

func TestLatticeLetsNothingImportWhatStandsAboveIt(t *testing.T) {
	for layer, places := range lattice {
		for _, p := range places {
			for imported := range strings.FieldsSeq(p.imports) {
				if imported == below {
					continue
				}
				dir := strings.TrimSuffix(imported, "/...")
				_, to, ok := locate(dir)
				top, _, _ := strings.Cut(dir, "/")
				sameFolder := to == layer && strings.HasPrefix(p.packages, top+"/")
				if !ok || to >= layer && !sameFolder {
					t.Errorf("%s in layer %d may import %s in layer %d (known: %v)", p.packages, layer, imported, to, ok)
				}
			}
		}
	}
}

func TestKernelUsesNoModuleOfOthers(t *testing.T) {
	for _, dir := range []string{"actor", "supervisor", "overlay", "overlay/swim",
		"behaviours/server", "behaviours/statem", "behaviours/event"} {
		if p, _, ok := locate(dir); !ok || p.modules != "" {
			t.Errorf("%s may use %q (known: %v)", dir, p.modules, ok)
		}
	}
}
