// Package auth verifies tokens.
package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/golang-jwt/jwt/v5"
)

// ErrNoSecret says that JWT_SECRET is missing.
var ErrNoSecret = errors.New("JWT_SECRET is not set")

const tokenHeader = "X-Auth-Token"

// Key reads the key or fails.
func Key() ([]byte, error) {
	secret, ok := os.LookupEnv("JWT_SECRET")
	if !ok || secret == "" {
		return nil, ErrNoSecret
	}
	slog.Info("key loaded", "length", len(secret))
	return []byte(secret), nil
}

// Verify returns the claims of a token.
func Verify(text string, key []byte) (jwt.MapClaims, error) {
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(text, claims, func(*jwt.Token) (any, error) { return key, nil }, jwt.WithValidMethods([]string{"HS256"}))
	if err != nil {
		return nil, fmt.Errorf("bad token in %s: %w", tokenHeader, err)
	}
	return claims, nil
}
