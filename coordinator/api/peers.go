package api

import (
	"errors"

	"ginnel/key"
	"ginnel/network"
	"ginnel/wire"
	"ginnel/wire/http1"
)

func (s *server) getMap(c *call) (*http1.Response, error) {
	var pos wire.Position
	var err error
	for _, p := range []struct {
		name string
		to   *uint64
	}{{"revision", &pos.Revision}, {"epoch", &pos.Epoch}, {"seq", &pos.Seq}} {
		if *p.to, err = c.number(p.name); err != nil {
			return nil, err
		}
	}
	update, err := s.peers.Update(c.caller.Address, pos)
	if err != nil {
		return nil, err
	}
	return http1.JSON(wire.StatusOK, update), nil
}

func (s *server) putSelf(c *call) (*http1.Response, error) {
	var report wire.Report
	if err := wire.Decode(c.Body, &report); err != nil {
		return nil, err
	}
	if err := s.peers.SetCandidates(c.caller.Address, report); err != nil {
		return nil, err
	}
	return noContent(), nil
}

func (s *server) getNetwork(*call) (*http1.Response, error) {
	return s.networkInfo(s.admins.Book()), nil
}

func (s *server) networkInfo(book *network.Book) *http1.Response {
	return http1.JSON(wire.StatusOK, wire.NetworkInfo{
		Name: book.Name(), Root: book.Root(), Revision: book.Revision(), Time: s.now(), Started: s.started,
		Coordinator: s.admins.Describe(book, book.Coordinator()).Member,
		Endpoints:   append([]string{}, book.Endpoints()...),
	})
}

func (s *server) redeem(c *call) (*http1.Response, error) {
	k, err := redeemKey(c.Body)
	if err != nil {
		return nil, err
	}
	redeemed, arrived, err := s.peers.Redeem(c.caller, k)
	if err != nil {
		return nil, err
	}
	response := http1.JSON(wire.StatusOK, redeemed)
	response.Done = arrived
	return response, nil
}

// redeemKey reads a RedeemRequest, whose key is text here: a key that cannot
// be read is malformed, one that no secret can be agreed with is unacceptable.
func redeemKey(body []byte) (key.PublicKey, error) {
	var request struct {
		PublicKey string `json:"public_key"`
	}
	if err := wire.Decode(body, &request); err != nil {
		return key.PublicKey{}, err
	}
	k, err := key.ParsePublic(request.PublicKey)
	switch {
	case errors.Is(err, key.ErrWeak):
		return k, wire.Errorf(wire.StatusUnprocessable, "%v", err)
	case err != nil:
		return k, wire.Errorf(wire.StatusBadRequest, "%v", err)
	}
	return k, nil
}
