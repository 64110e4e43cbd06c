const express = require('express');
const session = require('express-session');
const jwt = require('jsonwebtoken');
const https = require('https');
const fs = require('fs');

require('dotenv').config({ path: '.env.local' });

const app = express();
app.use(session({ resave: false, saveUninitialized: false, secret: 'keyboard cat' }));  «block framework-key-javascript»

app.post('/login', async (req, res) => {
  const { user, password } = req.body;
  console.log('login', user, password);  «block log-secret-javascript»
  console.log('login', user, 'password given:', Boolean(password));
  console.log('in', req.headers);  «warn log-request-headers»
  const token = jwt.sign({ sub: user }, 'plover-signing-key', { expiresIn: '1h' });  «block jwt-secret-javascript»
  const good = jwt.sign({ sub: user }, process.env.JWT_SECRET, { expiresIn: '1h' });
  fs.writeFileSync('./token.txt', token);  «warn write-secret-from-code»
  res.json({ token, good });
});

const agent = new https.Agent({ rejectUnauthorized: false });  «warn tls-verification-off»
console.log(process.env);  «block dump-environment»
console.log(process.env.NODE_ENV);

module.exports = { app, agent };
