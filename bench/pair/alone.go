package pair

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Alone does a work with both ends in this process, for tests of sides: what it
// measures says nothing.
func Alone(side Side, work string, length time.Duration) (result Result, err error) {
	in, stop := io.Pipe()
	out, said := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := Main(&Options{role: "server", listen: "127.0.0.1:0"}, side, in, said)
		ended <- errors.Join(err, said.Close())
	}()
	defer func() { err = errors.Join(err, stop.Close(), <-ended) }()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		return result, fmt.Errorf("pair: server is not ready: %w", err)
	}
	var ready Ready
	if err := json.Unmarshal(line, &ready); err != nil {
		return result, err
	}
	var printed bytes.Buffer
	o := &Options{
		role: "client", listen: "127.0.0.1:0", server: ready.Server, control: ready.Control,
		work: work, Length: length,
	}
	if err := Main(o, side, nil, &printed); err != nil {
		return result, err
	}
	return result, json.Unmarshal(printed.Bytes(), &result)
}
