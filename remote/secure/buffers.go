package secure

import "net"

// blockSize is the largest record of TLS (RFC 8446, section 5.1).
const blockSize = 16 << 10

// WriteBuffers writes what is in bufs, as bufs.WriteTo(c) does, and consumes it
// likewise. That would make a record and a system call of every buffer; this
// fills records with the small ones. What other goroutines write meanwhile may
// come in between.
func (c *Conn) WriteBuffers(bufs *net.Buffers) (int64, error) {
	pooled := c.transport.blocks.Get().(*[]byte)
	defer c.transport.blocks.Put(pooled)
	block := *pooled
	var written int64
	filled := 0
	flush := func(b []byte) error {
		n, err := c.Write(b)
		written += int64(n)
		return err
	}
	for len(*bufs) > 0 {
		b := (*bufs)[0]
		var n int
		if filled == 0 && len(b) >= blockSize {
			n = len(b) - len(b)%blockSize
			if err := flush(b[:n]); err != nil {
				return written, err
			}
		} else {
			n = copy(block[filled:], b)
			if filled += n; filled == blockSize {
				if err := flush(block); err != nil {
					return written, err
				}
				filled = 0
			}
		}
		if n < len(b) {
			(*bufs)[0] = b[n:]
			continue
		}
		(*bufs)[0] = nil
		*bufs = (*bufs)[1:]
	}
	if filled == 0 {
		return written, nil
	}
	return written, flush(block[:filled])
}
