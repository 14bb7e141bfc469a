package history

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/api"
	"github.com/prometheus/common/model"
)

// errAddress quotes nothing: there may be a password in an address.
var errAddress = errors.New("-prometheus: want a URL such as http://localhost:9090")

// dial returns a client of the Prometheus at address. Nothing is asked yet.
func dial(address string) (api.Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errAddress
	}
	client, err := api.NewClient(api.Config{Address: address, Client: &http.Client{Timeout: patience}})
	if err != nil {
		return nil, errAddress
	}
	return client, nil
}

// ask asks for a value of one type. Errors do not quote the address.
func ask[V model.Value](ctx context.Context, r *reader, q string, at time.Time) (none V, err error) {
	v, _, _, err := r.api.Query(ctx, q, at)
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	if err != nil {
		return none, fmt.Errorf("no answer of Prometheus: %w", err)
	}
	value, ok := v.(V)
	if !ok {
		return none, fmt.Errorf("an answer of Prometheus that is a %s", v.Type())
	}
	return value, nil
}
