import * as pulumi from '@pulumi/pulumi';
import * as aws from '@pulumi/aws';

const config = new pulumi.Config();
const password = config.get('dbPassword') || 'letmein-plover';  «block stack-config-fallback»
const token = config.requireSecret('apiToken');
const region = config.get('region') || 'eu-west-1';

const db = new aws.rds.Instance('app', {
  username: 'app',
  password: 'letmein-Plover7',  «block hardcoded-credential»
  manageMasterUserPassword: true,
});

const key = new aws.iam.AccessKey('ci', { user: 'ci' });  «warn static-access-key-user»

export const endpoint = db.endpoint;
export const secretArn = db.masterUserSecrets.apply((secrets) => secrets[0].secretArn);
export const used = [password, token, region, key.id];
