package discovery_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/remote/discovery"
)

// write replaces a file in one step.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// follow starts a discovery of one file which only a watch, or only polls, can
// keep up to date.
func follow(t *testing.T, path string, interval time.Duration) (found chan []string, failed chan error) {
	t.Helper()
	found, failed = make(chan []string, 100), make(chan error, 100)
	d, err := discovery.Start(discovery.Config{
		Sources: []discovery.Source{discovery.File{Path: path, Quiet: time.Millisecond}},
		Found:   func(c []string) { found <- c },
		Failed: func(_ discovery.Source, err error) {
			select {
			case failed <- err:
			default:
			}
		},
		Interval: interval, RetryMin: interval, RetryMax: interval,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return found, failed
}

func awaitSet(t *testing.T, found chan []string, want ...string) {
	t.Helper()
	select {
	case got := <-found:
		if !slices.Equal(got, want) {
			t.Fatalf("found %v, want %v", got, want)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("%v were never found", want)
	}
}

func TestChangesOfAWatchedFileAreSeenWithoutPolling(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodes")
	write(t, path, "a@10.0.0.1:4000\n# a comment\n\n10.0.0.2:4000 # another\n")
	found, failed := follow(t, path, time.Hour)
	awaitSet(t, found, "10.0.0.2:4000", "a@10.0.0.1:4000")

	write(t, path, "10.0.0.3:4000") // without a line's end
	awaitSet(t, found, "10.0.0.3:4000")

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for err := range failed { // that it was being written may have come before
		if errors.Is(err, os.ErrNotExist) {
			break
		}
	}
	if err := os.WriteFile(path, []byte("10.0.0.4:4000\n"), 0o600); err != nil { // anew, in place
		t.Fatal(err)
	}
	awaitSet(t, found, "10.0.0.4:4000")
}

func TestFileThatIsALinkIsSeenToChange(t *testing.T) {
	// As Kubernetes mounts a ConfigMap: nodes -> ..data/nodes, ..data -> ..1.
	dir := t.TempDir()
	for n, text := range map[string]string{"..1": "10.0.0.1:4000\n", "..2": "10.0.0.2:4000\n"} {
		if err := os.Mkdir(filepath.Join(dir, n), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, n, "nodes"), text)
	}
	for _, link := range [][2]string{{"..1", "..data"}, {"..data/nodes", "nodes"}, {"..2", "..next"}} {
		if err := os.Symlink(link[0], filepath.Join(dir, link[1])); err != nil {
			t.Fatal(err)
		}
	}
	found, _ := follow(t, filepath.Join(dir, "nodes"), time.Hour)
	awaitSet(t, found, "10.0.0.1:4000")
	if err := os.Rename(filepath.Join(dir, "..next"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	awaitSet(t, found, "10.0.0.2:4000")
}

func TestFileInAFolderThatComesLaterIsFoundByPolling(t *testing.T) {
	path := filepath.Join(t.TempDir(), "later", "nodes")
	found, failed := follow(t, path, 5*time.Millisecond)
	<-failed
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, path, "10.0.0.1:4000")
	awaitSet(t, found, "10.0.0.1:4000")
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, path, "10.0.0.2:4000")
	awaitSet(t, found, "10.0.0.2:4000")
}

func TestWrittenPartOfAFileIsNotBelieved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodes")
	long := strings.Repeat("10.0.0.1:4000\n", 100_000)
	for text, want := range map[string]error{
		"":                                    discovery.ErrNone,
		"# nothing but a comment\n":           discovery.ErrNone,
		"10.0.0.1:4000\n10.0.0.2:":            discovery.ErrCandidate,
		"10.0.0.1:4000\n10.0.0":               discovery.ErrCandidate,
		"10.0.0.1:4000 10.0.0.2:4000\n":       discovery.ErrCandidate,
		"10.0.0.1:4000\x00\x00\x00\x00\x00\n": discovery.ErrCandidate,
		long:                                  discovery.ErrTooMany,
	} {
		write(t, path, text)
		got, err := lookup(t, discovery.File{Path: path, Quiet: time.Millisecond})
		if !errors.Is(err, want) {
			t.Errorf("%.40q: found %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestFileThatGrowsWhileItIsReadIsNotBelieved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodes")
	if err := os.WriteFile(path, []byte("10.0.0.1:4000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
			return
		}
		defer file.Close()
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				if _, err := file.WriteString("10.0.0.2:4000\n"); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	got, err := lookup(t, discovery.File{Path: path, Quiet: 100 * time.Millisecond})
	close(stop)
	<-stopped
	if err == nil {
		t.Errorf("found %d candidates while they were being written", len(got))
	}
}
