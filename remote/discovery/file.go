package discovery

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Limits of File.
const (
	// DefaultQuiet is longer than a program takes between two writes to one
	// small file, and shorter than a person waits for.
	DefaultQuiet = 100 * time.Millisecond
	// maxFile is far more than the candidates of any cluster.
	maxFile = 1 << 20
)

// errUnsteady: a file changes while it is read.
var errUnsteady = errors.New("discovery: file is being written")

// File is a [Source] of candidates in a file: one a line, with comments that
// begin with '#'. The file need not exist yet. Whoever changes it had better
// write another file and rename it.
type File struct {
	// Path is the file's. Its folder is watched, so that a file which is
	// replaced, or is a link to another one, as in a ConfigMap of Kubernetes, is
	// seen to change.
	Path string
	// Quiet is how long the file must stay the same to be believed. Zero means
	// DefaultQuiet.
	Quiet time.Duration
}

// Lookup implements [Source]. It reads the file twice, Quiet apart, and fails
// if it is not the same, or is not a list of at least one candidate.
func (f File) Lookup(ctx context.Context) ([]string, error) {
	before, err := f.read()
	if err != nil {
		return nil, err
	}
	quiet := f.Quiet
	if quiet == 0 {
		quiet = DefaultQuiet
	}
	if !pause(ctx, quiet) {
		return nil, ctx.Err()
	}
	text, err := f.read()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(before, text) {
		return nil, fmt.Errorf("%w: %s", errUnsteady, f.Path)
	}
	found, err := parseFile(text)
	if err != nil {
		return nil, fmt.Errorf("discovery: %s: %w", f.Path, err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNone, f.Path)
	}
	return found, nil
}

// read returns what is in the file, of which nobody must make a node read more
// than maxFile.
func (f File) read() ([]byte, error) {
	file, err := os.Open(f.Path)
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%w: %s has more than %d bytes", ErrTooMany, f.Path, maxFile)
	}
	return text, nil
}

// parseFile reads candidates, one a line. All lines that are none are named.
func parseFile(text []byte) ([]string, error) {
	var found []string
	var errs []error
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxFile+1)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := Check(line); err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", n, err))
		}
		found = append(found, line)
	}
	errs = append(errs, lines.Err())
	return found, errors.Join(errs...)
}

// Watch implements [Watcher].
func (f File) Watch(ctx context.Context, changed func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("discovery: %w", err)
	}
	defer w.Close()
	folder := filepath.Dir(f.Path)
	if err := w.Add(folder); err != nil {
		return fmt.Errorf("discovery: watching %s: %w", folder, err)
	}
	changed() // for what happened before
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-w.Errors:
			changed() // something was missed
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return fmt.Errorf("discovery: watching %s: %w", folder, err)
			}
		case ev := <-w.Events:
			// Not only of this file: a link may have got another target.
			if ev.Op != fsnotify.Chmod {
				changed()
			}
			if gone := ev.Has(fsnotify.Remove) || ev.Has(fsnotify.Rename); gone && !slices.Contains(w.WatchList(), folder) {
				return fmt.Errorf("discovery: %s is gone", folder)
			}
		}
	}
}

// pause waits for d. It reports false if ctx ends before.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
