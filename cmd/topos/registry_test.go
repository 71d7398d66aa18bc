package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/clustertest"
	"github.com/topos-go/topos/registry/strong"
)

// withRegistry runs f with nodes that each have a folder of a strong registry
// in which something is written.
func withRegistry(t *testing.T, n int, f func(t *testing.T, c *clustertest.Cluster, first strong.Token)) {
	t.Helper()
	var voters []string
	for _, name := range []string{"n0", "n1", "n2"}[:n] {
		voters = append(voters, name+"@"+name+":4000")
	}
	clustertest.Run(t, n, func(t *testing.T, c *clustertest.Cluster) {
		token, err := c.Node(0).Strong().Acquire(t.Context(), "billing")
		if err != nil {
			t.Fatal(err)
		}
		f(t, c, token)
	}, clustertest.WithConfig(func(c *clustertest.Cluster, i int, cfg *topos.Config) {
		cfg.Strong = &strong.Config{Voters: voters, Dir: c.Dir(i), Bootstrap: true}
	}))
}

func TestNewEpochIsAskedForAndGoesOnWithOneOfTheFolders(t *testing.T) {
	withRegistry(t, 3, func(t *testing.T, c *clustertest.Cluster, first strong.Token) {
		c.Pass(5 * time.Second)
		for i := range 3 {
			c.Kill(i)
		}
		dir := c.Dir(2)
		before, err := strong.Inspect(dir)
		if err != nil {
			t.Fatal(err)
		}
		status, shown, errOut := run(t, "registry", "inspect", dir)
		if status != 0 || errOut != "" {
			t.Fatalf("inspect: status %d, %q", status, errOut)
		}
		for _, want := range []string{"node        n2@n2:4000\n", "epoch       1\n", "term        ", "last entry  "} {
			if !strings.Contains(shown, want) {
				t.Errorf("%q is not in %q", want, shown)
			}
		}

		status, out, errOut := run(t, "registry", "new-epoch", dir)
		if status != statusUsage || out != shown || !strings.Contains(errOut, "--yes") || len(lines(errOut)) != 1 {
			t.Errorf("without --yes: status %d, %q, %q", status, out, errOut)
		}
		if after, err := strong.Inspect(dir); err != nil || after != before {
			t.Errorf("without --yes, %+v has become %+v, %v", before, after, err)
		}

		status, out, errOut = run(t, "registry", "new-epoch", "-yes", dir)
		if status != 0 || errOut != "" || !strings.HasPrefix(out, shown) || !strings.Contains(out, "epoch 2 has begun. Start n2@n2:4000") {
			t.Errorf("new-epoch: status %d, %q, %q", status, out, errOut)
		}
		c.Restart(2)
		token, err := c.Node(2).Strong().Acquire(t.Context(), "other")
		if err != nil || token.Epoch != 2 || !first.Less(token) {
			t.Errorf("token %v, %v after %v", token, err, first)
		}
		if owner, err := c.Node(2).Strong().OwnerLinearizable(t.Context(), "billing"); err == nil && owner.Token != first {
			t.Errorf("billing is %v's", owner)
		}
	})
}

func TestFolderOfANodeThatRunsIsLeftAlone(t *testing.T) {
	withRegistry(t, 1, func(t *testing.T, c *clustertest.Cluster, _ strong.Token) {
		for _, command := range []string{"inspect", "new-epoch"} {
			status, out, errOut := run(t, "registry", command, c.Dir(0))
			if status != statusFailed || out != "" || !strings.Contains(errOut, "must not run") || len(lines(errOut)) != 1 {
				t.Errorf("%s: status %d, %q, %q", command, status, out, errOut)
			}
		}
		if _, err := c.Node(0).Strong().Acquire(t.Context(), "other"); err != nil {
			t.Error(err)
		}
	})
}

func TestBadFoldersGiveOneLineThatSaysWhy(t *testing.T) {
	empty := t.TempDir()
	missing := filepath.Join(empty, "missing")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{empty, missing, file} {
		for _, args := range [][]string{{"inspect", dir}, {"new-epoch", dir}, {"new-epoch", dir, "--yes"}} {
			status, out, errOut := run(t, append([]string{"registry"}, args...)...)
			if status != statusFailed || out != "" || !strings.Contains(errOut, dir) || !strings.Contains(errOut, "cannot be used") || len(lines(errOut)) != 1 {
				t.Errorf("%q: status %d, %q, %q", args, status, out, errOut)
			}
		}
	}
	if entries, err := os.ReadDir(empty); err != nil || len(entries) > 0 {
		t.Errorf("the empty folder has %v, %v", entries, err)
	}
}

// What looks like a registry's data and is none is shown as damaged, and what has
// no data of a registry yet is not gone on with.
func TestFolderWithoutDataIsNotGoneOnWith(t *testing.T) {
	voters := []string{"n0@n0:4000", "n1@n1:4000", "n2@n2:4000"}
	clustertest.Run(t, 1, func(t *testing.T, c *clustertest.Cluster) {
		c.Pass(time.Second)
		c.Kill(0) // it has never met the others
		status, out, _ := run(t, "registry", "inspect", c.Dir(0))
		if status != 0 || !strings.Contains(out, "epoch       none: there are no data\n") {
			t.Errorf("inspect: status %d, %q", status, out)
		}
		status, _, errOut := run(t, "registry", "new-epoch", "--yes", c.Dir(0))
		if status != statusFailed || !strings.Contains(errOut, "no data") {
			t.Errorf("new-epoch: status %d, %q", status, errOut)
		}

		if entries, err := os.ReadDir(c.Dir(0)); err != nil || len(entries) == 0 {
			t.Fatalf("%v, %v", entries, err)
		} else {
			for _, e := range entries {
				if !e.IsDir() {
					if err := os.WriteFile(filepath.Join(c.Dir(0), e.Name()), []byte("rubbish"), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		status, out, errOut = run(t, "registry", "inspect", c.Dir(0))
		if status != statusFailed || out != "" || !strings.Contains(errOut, "damaged") || len(lines(errOut)) != 1 {
			t.Errorf("rubbish: status %d, %q, %q", status, out, errOut)
		}
	}, clustertest.WithConfig(func(c *clustertest.Cluster, i int, cfg *topos.Config) {
		cfg.Strong = &strong.Config{Voters: voters, Dir: c.Dir(i), Bootstrap: true}
	}))
}

func TestMistakesInRegistryCommandsAreUsage(t *testing.T) {
	for _, args := range []string{"registry frob", "registry inspect", "registry inspect a b", "registry new-epoch", "registry inspect a --yes"} {
		status, out, errOut := run(t, strings.Fields(args)...)
		if status != statusUsage || out != "" || len(lines(errOut)) != 1 {
			t.Errorf("%s: status %d, %q, %q", args, status, out, errOut)
		}
	}
	if status, out, _ := run(t, "registry"); status != 0 || !strings.Contains(out, "new-epoch") {
		t.Errorf("topos registry: status %d, %q", status, out)
	}
}
