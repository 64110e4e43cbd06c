-- Accounts of the application.
CREATE ROLE app LOGIN PASSWORD 'letmein-plover';  «block sql-password-literal»
CREATE ROLE reader LOGIN PASSWORD :'reader_password';
ALTER ROLE app VALID UNTIL 'infinity';

CREATE TABLE users (
    id bigint PRIMARY KEY,
    password_hash text NOT NULL,
    token_expires_at timestamptz
);

CREATE FUNCTION reset(v_user text, v_password text) RETURNS void AS $$
BEGIN
    RAISE NOTICE 'new password of % is %', v_user, v_password;  «block log-secret-sql»
    RAISE NOTICE 'password of % changed', v_user;
END
$$ LANGUAGE plpgsql;
