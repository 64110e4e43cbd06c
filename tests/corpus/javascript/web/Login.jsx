import { useState } from 'react';

const KEY = process.env.NEXT_PUBLIC_STRIPE_SECRET_KEY;  «block public-bundle-secret»
const SITE = process.env.NEXT_PUBLIC_RECAPTCHA_SITE_KEY;

export function Login() {
  const [password, setPassword] = useState('');
  async function submit() {
    const response = await fetch(`https://api.internal/login?user=bob&password=${password}`);  «warn url-secret-parameter»
    const { token } = await response.json();
    localStorage.setItem('access_token', token);  «warn web-storage-token»
    localStorage.setItem('theme', 'dark');
    document.cookie = `token=${token}; path=/`;  «warn cookie-from-script»
  }
  return (
    <form onSubmit={submit}>
      <input type="password" placeholder="Password" value={password} onChange={(e) => setPassword(e.target.value)} />
      <button data-site={SITE} data-key={KEY}>Sign in</button>
    </form>
  );
}
