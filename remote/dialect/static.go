package dialect

import (
	"fmt"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/static"
)

func encodeStatic(m overlay.Message) (kind, encoded, error) {
	switch m := m.(type) {
	case static.Ask:
		return kindStaticAsk, &Static{}, nil
	case static.Agree:
		return kindStaticAgree, &Static{}, nil
	case static.Refuse:
		return kindStaticRefuse, &Static{}, nil
	case static.Leave:
		return kindStaticLeave, &Static{}, nil
	default:
		return 0, nil, fmt.Errorf("%w: %T", ErrUnknown, m)
	}
}

func parseStatic(k kind, b []byte) (overlay.Message, error) {
	var w Static
	if err := w.Unmarshal(b); err != nil {
		return nil, err
	}
	switch k {
	case kindStaticAsk:
		return static.Ask{}, nil
	case kindStaticAgree:
		return static.Agree{}, nil
	case kindStaticRefuse:
		return static.Refuse{}, nil
	case kindStaticLeave:
		return static.Leave{}, nil
	}
	return nil, errKind
}
