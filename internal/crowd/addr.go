package crowd

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// The ports of members are taken from below those that systems give to outgoing
// connections: while a member is dead, nobody else shall get its port by chance.
const (
	firstPort = 20000
	ports     = 12000
	tries     = 1000
)

var errNoPorts = errors.New("crowd: no free ports")

func freeAddrs(n int) ([]string, error) {
	var addrs []string
	for range tries {
		if len(addrs) == n {
			return addrs, nil
		}
		addr := fmt.Sprintf("127.0.0.1:%d", firstPort+rand.IntN(ports))
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		defer l.Close() // held until all are found, so that none is found twice
		addrs = append(addrs, addr)
	}
	return nil, errNoPorts
}
