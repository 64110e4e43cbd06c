package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/golang-jwt/jwt/v5"
)

func main() {
	secret := os.Getenv("JWT_SECRET")
	if secret == "" {
		secret = "dev-secret"  «block env-fallback-later»
	}
	password := getEnv("DB_PASSWORD", "postgres")  «block env-fallback-helper»
	host := getEnv("DB_HOST", "localhost")
	apiKey := flag.String("api-key", "changeme", "key of the payment service")  «block option-default-call»
	addr := flag.String("addr", ":8080", "where to listen")
	flag.Parse()

	log.Printf("connecting to %s with %s", host, password)  «block log-secret-go»
	log.Printf("api key given: %t", *apiKey != "")
	fmt.Println(os.Environ())  «block dump-environment»

	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}  «warn tls-verification-off»
	_, _ = client, addr
	token := jwt.New(jwt.SigningMethodHS256)
	signed, _ := token.SignedString([]byte("plover-signing-key"))  «block jwt-secret-go»
	_ = os.WriteFile("signed.txt", []byte(signed), 0o600)
	_ = os.WriteFile("key.txt", []byte(*apiKey), 0o600)  «warn write-secret-from-code»
}

func getEnv(name, fallback string) string {
	if value, ok := os.LookupEnv(name); ok {
		return value
	}
	return fallback
}
