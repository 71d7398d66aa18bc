package mesh

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/topos-go/topos/actor"
)

// Check is one look at an instance's health: nil if it is well. It runs in a
// process of its own on the instance's node, which from is, and must end when
// ctx does.
type Check func(ctx context.Context, from actor.Caller, instance actor.PID) error

// Health says how an instance is checked. Without a Check it counts as well as
// long as it lives. Every other zero value means its default.
type Health struct {
	Check Check
	// Interval is the time between two checks. Zero means 5 s.
	Interval time.Duration
	// Timeout is how long a check may take. Zero means 1 s.
	Timeout time.Duration
	// Rise is how many checks in a row must succeed for a sick instance to be
	// well, Fall how many must fail for one that is well to be sick. The first
	// check decides by itself. Zero means 2 and 3.
	Rise, Fall int
}

// CallCheck calls the instance with req. Any answer but an error is well.
func CallCheck(req any) Check {
	return func(ctx context.Context, from actor.Caller, instance actor.PID) error {
		_, err := actor.Call[any](ctx, from, instance, req)
		return err
	}
}

// HTTPCheck gets url with client. A status of 200 to 299 is well. A nil client
// has its own connections.
func HTTPCheck(client *http.Client, url string) Check {
	if client == nil {
		client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	}
	return func(ctx context.Context, _ actor.Caller, _ actor.PID) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		if err := resp.Body.Close(); err != nil {
			return err
		}
		if resp.StatusCode < 200 || resp.StatusCode > 299 {
			return fmt.Errorf("mesh: %s: %s", url, resp.Status)
		}
		return nil
	}
}

// FuncCheck calls f.
func FuncCheck(f func(ctx context.Context) error) Check {
	return func(ctx context.Context, _ actor.Caller, _ actor.PID) error { return f(ctx) }
}

func (h Health) withDefaults() Health {
	or(&h.Interval, 5*time.Second)
	or(&h.Timeout, time.Second)
	or(&h.Rise, 2)
	or(&h.Fall, 3)
	return h
}

func (h *Health) valid() error {
	if h.Interval < 0 || h.Timeout < 0 || h.Rise < 0 || h.Fall < 0 {
		return errors.New("mesh: Definition.Health has a negative field")
	}
	return nil
}

// pulse is what is known of an instance's health. It is a value without clock.
type pulse struct {
	rise, fall int

	known bool // a check has ended
	well  bool
	run   int // how many checks in a row have contradicted well
}

// checked notes the result of a check and reports whether well has changed.
func (p *pulse) checked(ok bool) (changed bool) {
	if !p.known {
		p.known, p.well = true, ok
		return true
	}
	if ok == p.well {
		p.run = 0
		return false
	}
	p.run++
	need := p.fall
	if ok {
		need = p.rise
	}
	if p.run < need {
		return false
	}
	p.well, p.run = ok, 0
	return true
}
