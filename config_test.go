package topos

import (
	"reflect"
	"testing"
	"time"

	"github.com/topos-go/topos/remote"
)

// What the remote layer has a setting for by the same name gets what is set here.
func TestSettingsOfTheRemoteLayerAreHandedOn(t *testing.T) {
	none := new(Config)
	byDefault := reflect.ValueOf(none.remote())
	fields := 0
	for f := range reflect.TypeFor[Config]().Fields() {
		to, ok := reflect.TypeFor[remote.Config]().FieldByName(f.Name)
		if !ok || f.Type.Kind() == reflect.Func { // which cannot be compared
			continue
		}
		if to.Type != f.Type {
			t.Errorf("%s is of type %v here, and of %v there", f.Name, f.Type, to.Type)
			continue
		}
		fields++
		var cfg Config
		sample := reflect.ValueOf(&cfg).Elem().FieldByIndex(f.Index)
		switch f.Type.Kind() {
		case reflect.String:
			sample.SetString("text")
		case reflect.Bool:
			sample.SetBool(true)
		case reflect.Slice:
			sample.Set(reflect.MakeSlice(f.Type, 1, 1))
		case reflect.Pointer:
			sample.Set(reflect.New(f.Type.Elem()))
		case reflect.Interface:
			sample.Set(reflect.ValueOf(remote.TCP{Unacknowledged: time.Second}))
		default:
			sample.Set(reflect.ValueOf(7).Convert(f.Type))
		}
		got := reflect.ValueOf(cfg.remote()).FieldByIndex(to.Index)
		handedOn := reflect.DeepEqual(got.Interface(), sample.Interface())
		if f.Type.Kind() == reflect.Slice { // some have more
			handedOn = got.Len() == byDefault.FieldByIndex(to.Index).Len()+1
		}
		if !handedOn {
			t.Errorf("%s is not handed on: %v", f.Name, got)
		}
	}
	if fields < 22 {
		t.Errorf("only %d settings were tried", fields)
	}
}
