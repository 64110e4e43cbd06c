import nodemailer from 'nodemailer';
import jwt from 'jsonwebtoken';
import { getSecret } from './secrets';

export async function mailer() {
  return nodemailer.createTransport({
    host: process.env.SMTP_HOST,
    auth: { user: process.env.SMTP_USER, pass: await getSecret('smtp/password') },
  });
}

export function claims(token: string, publicKey: string) {
  return jwt.verify(token, publicKey, { algorithms: ['RS256'] });
}

export const messages = {
  password: 'Please enter your password',
  passwordReset: 'We have sent you a link',
  tokenExpired: 'Your session has expired',
};
