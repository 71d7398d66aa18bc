package discovery

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"
)

// Defaults of Config.
const (
	// DefaultInterval is the usual time to live of a cluster's DNS records.
	DefaultInterval = 30 * time.Second
	// DefaultJitter keeps nodes that were started together from asking
	// together.
	DefaultJitter = 0.2
	// DefaultTimeout is what resolvers give one server.
	DefaultTimeout = 5 * time.Second
	// DefaultRetryMin is short enough for a node that starts before the DNS
	// server knows its service.
	DefaultRetryMin = time.Second
	// DefaultRetryMax is long enough to leave a server alone that is down.
	DefaultRetryMax = time.Minute
	// DefaultMaxCandidates is more than any node has to know to join.
	DefaultMaxCandidates = 10_000
)

// Config says where a [Discovery] looks, and how often. Found must be given.
type Config struct {
	// Sources are looked up independently of each other.
	Sources []Source
	// Found is called with all candidates when they have changed, sorted and
	// without doubles, for the first time when there are some. One call ends
	// before the next begins, and none begins after Close has returned; it must
	// not call Close. The slice must not be changed.
	Found func(candidates []string)
	// Failed, if not nil, is called after every lookup or watch that failed, by
	// several goroutines at once. It must not call Close.
	Failed func(source Source, err error)

	// Interval is the time from one lookup of a source to the next. Zero means
	// DefaultInterval.
	Interval time.Duration
	// Jitter is by what part of itself each pause is varied at random, from 0
	// to 1. Zero means DefaultJitter, a negative number none.
	Jitter float64
	// Timeout bounds one lookup. Zero means DefaultTimeout.
	Timeout time.Duration
	// RetryMin and RetryMax bound the pause after a lookup that failed, which
	// doubles from one to the next. Zero means DefaultRetryMin and
	// DefaultRetryMax.
	RetryMin, RetryMax time.Duration
	// MaxCandidates bounds what one lookup may bring. Zero means
	// DefaultMaxCandidates.
	MaxCandidates int

	// Seed determines the jitter. Zero draws one.
	Seed uint64
	// Logger gets a line for every change and every failure. Nil discards.
	Logger *slog.Logger
}

// valid returns everything that is wrong with c.
func (c *Config) valid() error {
	var errs []error
	if c.Found == nil {
		errs = append(errs, errors.New("discovery: Config.Found is nil"))
	}
	for i, s := range c.Sources {
		if isNil(s) {
			errs = append(errs, fmt.Errorf("discovery: Config.Sources[%d] is nil", i))
		}
	}
	if c.Interval < 0 || c.Timeout < 0 || c.RetryMin < 0 || c.RetryMax < 0 || c.MaxCandidates < 0 {
		errs = append(errs, errors.New("discovery: Config has a negative Interval, Timeout, RetryMin, RetryMax or MaxCandidates"))
	}
	if !(c.Jitter <= 1) {
		errs = append(errs, fmt.Errorf("discovery: Config.Jitter %v is more than 1", c.Jitter))
	}
	if d := c.withDefaults(); d.RetryMin > d.RetryMax {
		errs = append(errs, fmt.Errorf("discovery: Config.RetryMin %v is more than RetryMax %v", d.RetryMin, d.RetryMax))
	}
	return errors.Join(errs...)
}

// isNil sees a nil pointer or function in an interface, too.
func isNil(s Source) bool {
	if s == nil {
		return true
	}
	switch v := reflect.ValueOf(s); v.Kind() {
	case reflect.Pointer, reflect.Func:
		return v.IsNil()
	}
	return false
}

func (c Config) withDefaults() Config {
	if c.Interval == 0 {
		c.Interval = DefaultInterval
	}
	if c.Jitter == 0 {
		c.Jitter = DefaultJitter
	}
	c.Jitter = max(c.Jitter, 0)
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.RetryMin == 0 {
		c.RetryMin = DefaultRetryMin
	}
	if c.RetryMax == 0 {
		c.RetryMax = max(DefaultRetryMax, c.RetryMin)
	}
	if c.MaxCandidates == 0 {
		c.MaxCandidates = DefaultMaxCandidates
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}
