// A whole life of an account, as @supabase/auth-js lives it. Prints what it saw as JSON.
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { AuthClient } from '@supabase/auth-js'

const { AUTH_URL, ANON_KEY, EMAIL, MAIL_FOLDER } = process.env

const client = new AuthClient({
  url: AUTH_URL,
  headers: { apikey: ANON_KEY, Authorization: `Bearer ${ANON_KEY}` },
  autoRefreshToken: false,
  persistSession: false,
})

function must({ data, error }) {
  if (error) throw error
  return data
}

async function recoveryToken() {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await setTimeout(50)) {
    for (const name of await readdir(MAIL_FOLDER)) {
      if (!name.endsWith('.eml')) continue
      const mail = await readFile(join(MAIL_FOLDER, name), 'utf8')
      const found = mail.includes(`To: ${EMAIL}`) && mail.match(/token_hash=([\w-]+)&type=recovery/)
      if (found) return found[1]
    }
  }
  throw new Error('no recovery mail')
}

const seen = {}
const weak = await client.signUp({ email: EMAIL, password: 'short' })
seen.weak = { code: weak.error.code, reasons: weak.error.reasons }

const signedUp = must(await client.signUp({ email: EMAIL, password: 'testpassword', options: { data: { name: 'Asha' } } }))
seen.name = signedUp.user.user_metadata.name
seen.taken = (await client.signUp({ email: EMAIL, password: 'testpassword' })).error.code
seen.wrong = (await client.signInWithPassword({ email: EMAIL, password: 'wrong password' })).error.code

const signedIn = must(await client.signInWithPassword({ email: EMAIL, password: 'testpassword' }))
const refreshed = must(await client.refreshSession())
seen.rotated = refreshed.session.refresh_token !== signedIn.session.refresh_token
seen.claims = must(await client.getClaims()).claims.email
seen.user = must(await client.getUser()).user.email
must(await client.updateUser({ data: { name: 'Asha Rao' } }))

must(await client.resetPasswordForEmail(EMAIL))
must(await client.verifyOtp({ type: 'recovery', token_hash: await recoveryToken() }))
seen.same = (await client.updateUser({ password: 'testpassword' })).error.code
seen.renamed = must(await client.updateUser({ password: 'another password' })).user.user_metadata.name
must(await client.signOut())
seen.signedOut = (await client.refreshSession({ refresh_token: refreshed.session.refresh_token })).error.code
seen.signedInAgain = must(await client.signInWithPassword({ email: EMAIL, password: 'another password' })).user.email

console.log(JSON.stringify(seen))
