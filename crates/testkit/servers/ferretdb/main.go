// A FerretDB that asks for a password.
//
// FerretDB's own command cannot be built from its published module: a file with its version is not part of it, and it
// panics without. Its public package for embedding knows no passwords. What its command does with its flags is
// internal; Go opens that to modules whose path begins as FerretDB's, hence the name of this one.
package main

import (
	"context"
	"flag"
	"log/slog"
	"os"

	"github.com/FerretDB/wire"
	"github.com/FerretDB/wire/wirebson"

	"github.com/FerretDB/FerretDB/internal/clientconn"
	"github.com/FerretDB/FerretDB/internal/clientconn/connmetrics"
	"github.com/FerretDB/FerretDB/internal/handler"
	"github.com/FerretDB/FerretDB/internal/handler/registry"
	"github.com/FerretDB/FerretDB/internal/util/password"
	"github.com/FerretDB/FerretDB/internal/util/state"
)

func main() {
	listen := flag.String("listen", "", "address without TLS")
	tls := flag.String("listen-tls", "", "address with TLS")
	certificate := flag.String("tls-cert-file", "", "certificate of the server")
	key := flag.String("tls-key-file", "", "key of the certificate")
	data := flag.String("data", "", "directory that exists, with a slash behind")
	set := flag.String("replica-set", "", "name of the replica set that it claims to be the primary of")
	user := flag.String("user", "", "the user there is")
	secret := flag.String("password", "", "password of the user")
	flag.Parse()

	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	fail := func(err error) {
		if err != nil {
			logger.Error(err.Error())
			os.Exit(1)
		}
	}
	provider, err := state.NewProvider("")
	fail(err)
	fail(provider.Update(func(s *state.State) { s.DisableTelemetry() }))
	metrics := connmetrics.NewListenerMetrics()
	h, _, err := registry.NewHandler("sqlite", &registry.NewHandlerOpts{
		Logger:        logger,
		ConnMetrics:   metrics.ConnMetrics,
		StateProvider: provider,
		TCPHost:       *listen,
		ReplSetName:   *set,
		SetupDatabase: "admin",
		SetupUsername: *user,
		SetupPassword: password.WrapPassword(*secret),
		SQLiteURL:     "file:" + *data,
		TestOpts: registry.TestOpts{
			CappedCleanupPercentage: 10,
			EnableNewAuth:           true,
			BatchSize:               100,
			MaxBsonObjectSizeBytes:  16 << 20,
		},
	})
	fail(err)
	endLoginsAtOnce(h)
	listener, err := clientconn.Listen(&clientconn.NewListenerOpts{
		TCP:         *listen,
		TLS:         *tls,
		TLSCertFile: *certificate,
		TLSKeyFile:  *key,
		Mode:        clientconn.NormalMode,
		Metrics:     metrics,
		Handler:     h,
		Logger:      logger,
	})
	fail(err)
	logger.Info("ready")
	listener.Run(context.Background())
}

// endLoginsAtOnce has a login end with the answer that proves the server, as MongoDB does for clients that ask for it
// with skipEmptyExchange. FerretDB takes the option and waits for one more message, which MongoDB's client for Rust
// does not send.
func endLoginsAtOnce(h *handler.Handler) {
	command := h.Commands()["saslContinue"]
	step := command.Handler
	command.Handler = func(ctx context.Context, msg *wire.OpMsg) (*wire.OpMsg, error) {
		proof, err := step(ctx, msg)
		if err != nil {
			return nil, err
		}
		// Behind a login that succeeded, it does not look at the message.
		if _, err = step(ctx, msg); err != nil {
			return nil, err
		}
		answer, err := proof.RawSection0().Decode()
		if err != nil {
			return nil, err
		}
		return wire.NewOpMsg(wirebson.MustDocument(
			"conversationId", answer.Get("conversationId"),
			"done", true,
			"payload", answer.Get("payload"),
			"ok", float64(1),
		))
	}
}
