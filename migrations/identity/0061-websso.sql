-- What else the issuer has to be asked with is made of the browser's secret, which is in its cookie only.
ALTER TABLE websso_login DROP COLUMN nonce, DROP COLUMN verifier;
