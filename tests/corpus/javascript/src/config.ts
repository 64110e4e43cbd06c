import { z } from 'zod';

export const config = {
  port: Number(process.env.PORT ?? 3000),
  jwtSecret: process.env.JWT_SECRET || 'dev-secret',  «block env-fallback-javascript»
  apiKey: process.env["PAYMENT_API_KEY"] ?? `changeme`,  «block env-fallback-javascript»
  tokenUrl: process.env.TOKEN_URL || 'https://auth.internal/token',
  dbPassword: process.env.DB_PASSWORD,
  sessionSecret: required('SESSION_SECRET'),
};

export const schema = z.object({
  JWT_SECRET: z.string().min(8).default('dev-secret'),  «block schema-default»
  NODE_ENV: z.enum(['development', 'production']).default('development'),
});

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}
