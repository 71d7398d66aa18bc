package dialect

import (
	"errors"
	"fmt"
	"math"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/clientserver"
)

const (
	// maxClaims bounds the claims in a message, and so the servers of a cluster:
	// eight times as many as a node takes by default, for those that are told to
	// take more. It is part of the protocol between nodes.
	maxClaims = 1024
	// claimsField is where they are.
	claimsField = 2
)

// errClaim is why a message with a claim that nobody makes is malformed.
var errClaim = errors.New("no such claim")

func encodeClientServer(m overlay.Message) (kind, encoded, error) {
	switch m := m.(type) {
	case clientserver.Ask:
		return claiming(kindServerAsk, m.Claims, false)
	case clientserver.Agree:
		return claiming(kindServerAgree, m.Claims, false)
	case clientserver.Refuse:
		return claiming(kindServerRefuse, m.Claims, m.Busy)
	case clientserver.News:
		return claiming(kindServerNews, m.Claims, false)
	case clientserver.Part:
		return kindServerPart, &ClientServer{}, nil
	case clientserver.Leave:
		return kindServerLeave, &ClientServer{}, nil
	}
	return 0, nil, fmt.Errorf("%w: %T", ErrUnknown, m)
}

func claiming(k kind, claims []clientserver.Claim, busy bool) (kind, encoded, error) {
	claims = first(claims, maxClaims)
	if err := valid(claims, claimable); err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return k, &ClientServer{Busy: busy, Claims: each(claims, claim)}, nil
}

func claim(c clientserver.Claim) *Claim {
	return &Claim{Node: listed(c.Node), Number: c.Number, Standing: uint32(c.Standing)}
}

func (c *Claim) message() clientserver.Claim {
	return clientserver.Claim{
		Node: c.Node.node(), Number: c.Number, Standing: clientserver.Standing(min(c.Standing, math.MaxUint8)),
	}
}

// claimable says what keeps c from being a claim that its protocol takes.
func claimable(c clientserver.Claim) error {
	if c.Number == 0 || c.Standing > clientserver.Never {
		return fmt.Errorf("%w: number %d, standing %d", errClaim, c.Number, c.Standing)
	}
	return c.Node.Valid()
}

func parseClientServer(k kind, b []byte) (overlay.Message, error) {
	var w ClientServer
	if err := w.Unmarshal(b); err != nil {
		return nil, err
	}
	claims := each(w.Claims, (*Claim).message)
	if err := valid(claims, claimable); err != nil {
		return nil, err
	}
	switch k {
	case kindServerAsk:
		return clientserver.Ask{Claims: claims}, nil
	case kindServerAgree:
		return clientserver.Agree{Claims: claims}, nil
	case kindServerRefuse:
		return clientserver.Refuse{Busy: w.Busy, Claims: claims}, nil
	case kindServerNews:
		return clientserver.News{Claims: claims}, nil
	case kindServerPart:
		return clientserver.Part{}, nil
	case kindServerLeave:
		return clientserver.Leave{}, nil
	}
	return nil, errKind
}
