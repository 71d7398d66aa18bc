package discovery_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/topos-go/topos/remote/discovery"
)

func ExampleStart() {
	folder, err := os.MkdirTemp("", "nodes")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "nodes")
	if err := os.WriteFile(file, []byte("b@10.0.0.2:4000 # in the cellar\n"), 0o600); err != nil {
		panic(err)
	}
	complete := make(chan []string)
	d, err := discovery.Start(discovery.Config{
		Sources: []discovery.Source{
			discovery.Static{"10.0.0.1:4000"},
			discovery.File{Path: file},
		},
		Found: func(candidates []string) { // node.Join(candidates...)
			if len(candidates) == 2 {
				complete <- candidates
			}
		},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(<-complete)
	d.Close()
	fmt.Println(d.Candidates())
	// Output:
	// [10.0.0.1:4000 b@10.0.0.2:4000]
	// [10.0.0.1:4000 b@10.0.0.2:4000]
}

// neighbors is a source that tells when it is worth a look.
type neighbors struct{ news chan string }

func (n neighbors) Lookup(context.Context) ([]string, error) { return []string{"10.0.0.3:4000"}, nil }

func (n neighbors) Watch(ctx context.Context, changed func()) error {
	for {
		select {
		case <-n.news:
			changed()
		case <-ctx.Done():
			return nil
		}
	}
}

func ExampleWatcher() {
	var source discovery.Watcher = neighbors{make(chan string)}
	found, err := source.Lookup(context.Background())
	fmt.Println(found, err)
	// Output: [10.0.0.3:4000] <nil>
}

func ExampleFunc() {
	source := discovery.Func(func(context.Context) ([]string, error) {
		return []string{os.Getenv("TOPOS_EXAMPLE_SEED") + "seed.example.org:4000"}, nil
	})
	fmt.Println(source.Lookup(context.Background()))
	// Output: [seed.example.org:4000] <nil>
}

func ExampleDNS() {
	headless := discovery.DNS{Host: "topos.default.svc.cluster.local.", Port: 4000, Family: discovery.IPv4}
	service := discovery.SRV{Name: "_topos._tcp.example.org.", Server: "10.0.0.53:53"}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, source := range []discovery.Source{headless, service} {
		found, err := source.Lookup(canceled)
		fmt.Println(found, err != nil)
	}
	// Output:
	// [] true
	// [] true
}
