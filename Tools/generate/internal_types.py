"""Writes Sources/PodKinds/Generated/InternalTypes.swift: names, order and types of the fields of upstream's internal types.

usage: internal_types.py KUBERNETES-TREE > Sources/PodKinds/Generated/InternalTypes.swift

A line is a type: its name, then its fields as Name=json.path:type. `=json.path` is left out where it is the name with a
small first letter; `^` in front of it means beside the object. Types: s text, n number, b flag, q quantity, i number or
text, t time, a anything, y bytes, ? pointer, [ list, { map, else a type of this table; `~` in front: left out when empty.
"""
import re,sys,glob,os
KK=sys.argv[1]
def parse(path):
    text=open(path).read()
    text=re.sub(r'/\*.*?\*/','',text,flags=re.S)
    out={}
    alias={}
    for m in re.finditer(r'^type (\w+) struct \{\n(.*?)^\}',text,flags=re.S|re.M):
        fields=[]
        depth=0
        for line in m[2].split('\n'):
            line=re.sub(r'//.*','',line).strip() if '`' not in line else re.sub(r'^\s*//.*','',line).strip()
            if not line: continue
            t=re.match(r'^(\w+)\s+([^\s`]+)\s*(?:`(.*)`)?$',line)
            if t: fields.append((t[1],t[2],t[3] or '')); continue
            t=re.match(r'^(\*?[\w.]+)\s*(?:`(.*)`)?$',line)
            if t: fields.append(('',t[1],t[2] or '')); continue
            names=re.match(r'^([\w, ]+)\s+(\S+)$',line)
            if names:
                for n in names[1].split(','): fields.append((n.strip(),names[2],''))
                continue
            print('?',path,line,file=sys.stderr)
        out[m[1]]=fields
    for m in re.finditer(r'^(?:type )?\s*(\w+)\s+(=?\s*(?:string|int32|int64|map\[\w+\][\w.]+|\[\]\w+|bool|uint16))\s*$',text,flags=re.M):
        alias.setdefault(m[1],m[2].strip())
    return out,alias
GROUPS={'core':'core/v1','apps':'apps/v1','batch':'batch/v1','networking':'networking/v1','storage':'storage/v1','autoscaling':'autoscaling/v2','policy':'policy/v1','rbac':'rbac/v1','discovery':'discovery/v1','resource':'resource/v1','certificates':'certificates/v1','flowcontrol':'flowcontrol/v1','admissionregistration':'admissionregistration/v1','scheduling':'scheduling/v1','node':'node/v1','coordination':'coordination/v1','authorization':'authorization/v1','authentication':'authentication/v1'}
internal={};aliases={};v1={}
for g,v in GROUPS.items():
    s,a=parse(f'{KK}/pkg/apis/{g}/types.go'); 
    for k,f in s.items(): internal[f'{g}.{k}']=f
    for k,x in a.items(): aliases[f'{g}.{k}']=x
    s,_=parse(f'{KK}/staging/src/k8s.io/api/{v}/types.go')
    for k,f in s.items(): v1[f'{g}.{k}']=f
s,a=parse(f'{KK}/staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go')
for k,f in s.items(): internal[f'metav1.{k}']=f; v1[f'metav1.{k}']=f
for k,x in a.items(): aliases[f'metav1.{k}']=x
IMPORT={'api':'core','core':'core','metav1':'metav1','apps':'apps','batch':'batch','autoscaling':'autoscaling','resource':'q'}
def tag(t):
    m=re.search(r'json:"([^"]*)"',t)
    return m[1].split(',') if m else None
def jsonnames(name):
    res={}
    for fn,ft,tg in v1.get(name,[]):
        t=tag(tg)
        if fn=='' : 
            base=ft.split('.')[-1].lstrip('*')
            if t and t[0]: res[base]=t[0]   # embedded but named
            else: res.update(jsonnames(f"{name.split('.')[0]}.{base}"))
        elif t: res[fn]=t[0]
    return res
NUM={'int32','int64','int','uint16','uint8','float64','uint32','uint64'}
need=[]
def typ(g,t):
    """c: s n b q i t | ? prefix pointer | [x list | {x map"""
    if t.startswith('*'): return '?'+typ(g,t[1:])
    if t=='[]byte': return 'y'
    if t.startswith('[]'): return '['+typ(g,t[2:])
    m=re.match(r'map\[[\w.]+\](.*)',t)
    if m: return '{'+typ(g,m[1])
    if t=='string': return 's'
    if t in NUM: return 'n'
    if t=='bool': return 'b'
    if t in('resource.Quantity',): return 'q'
    if t in('intstr.IntOrString',): return 'i'
    if t in('metav1.Time','metav1.MicroTime') or (g=='metav1' and t=='Time'): return 't'
    if t=='metav1.Duration': return 's'
    if t in('types.UID','v1.UID','types.NodeName'): return 's'
    if t in('interface{}','runtime.Object','runtime.RawExtension','metav1.FieldsV1','FieldsV1'): return '?a'
    if '.' in t:
        p,n=t.split('.'); key=f"{IMPORT.get(p,p)}.{n}"
    else: key=f'{g}.{t}'
    if key in aliases and key not in internal: return typ(key.split('.')[0],aliases[key].lstrip('= '))
    if key in internal:
        if key not in need: need.append(key)
        return key
    print('unknown type',g,t,file=sys.stderr); return 's'
EXTRA={'core.PodSecurityContext':{'HostNetwork':'^hostNetwork','HostPID':'^hostPID','HostIPC':'^hostIPC','ShareProcessNamespace':'^shareProcessNamespace','HostUsers':'^hostUsers'}}
def fields(name):
    g=name.split('.')[0]; names=jsonnames(name); res=[]
    for fn,ft,tg in internal[name]:
        t=tag(tg)
        if fn=='':
            base=ft.lstrip('*')
            if g=='metav1' or base in('metav1.TypeMeta','metav1.ListMeta'): continue
            if base=='metav1.ObjectMeta':
                res+=[(a,'metadata.'+b,c) for a,b,c in fields('metav1.ObjectMeta')]; continue
            if '.' in base: p,n=base.split('.'); key=f'{IMPORT.get(p,p)}.{n}'
            else: key=f'{g}.{base}'
            inner=fields(key)
            # v1 may nest it under a name of its own
            if base in names: inner=[(a,names[base]+'.'+b,c) for a,b,c in inner]
            res+=inner; continue
        if t is not None and t[0]=='-': continue
        pn=t[0] if t and t[0] else fn
        om=t is not None and ('omitempty' in t or 'omitzero' in t)
        jn=EXTRA.get(name,{}).get(fn) or names.get(fn) or (t and t[0])
        if jn is None:
            low={k.lower():v for k,v in names.items()}
            jn=low.get(fn.lower())
        if jn is None and fn=='RuleWithOperations': jn='.'
        if jn is None: print('no json',name,fn,file=sys.stderr); jn='!'+fn
        res.append((pn,jn,('~' if om else '')+typ(g,ft)))
    return res
ROOTS="""
core.Pod core.PodTemplate core.ReplicationController core.Service core.Endpoints core.Node core.Namespace
core.ConfigMap core.Secret core.ServiceAccount core.Event core.ResourceQuota core.LimitRange
core.PersistentVolume core.PersistentVolumeClaim core.Binding core.PersistentVolumeSource apps.Deployment
apps.ReplicaSet apps.StatefulSet apps.DaemonSet apps.ControllerRevision batch.Job batch.CronJob
autoscaling.HorizontalPodAutoscaler policy.PodDisruptionBudget networking.Ingress networking.IngressClass
networking.NetworkPolicy networking.IPAddress networking.ServiceCIDR discovery.EndpointSlice
storage.StorageClass storage.VolumeAttachment storage.CSIDriver storage.CSINode storage.CSIStorageCapacity
storage.VolumeAttributesClass rbac.Role rbac.ClusterRole rbac.RoleBinding rbac.ClusterRoleBinding
scheduling.PriorityClass node.RuntimeClass coordination.Lease certificates.CertificateSigningRequest
flowcontrol.FlowSchema flowcontrol.PriorityLevelConfiguration
admissionregistration.ValidatingWebhookConfiguration admissionregistration.MutatingWebhookConfiguration
admissionregistration.ValidatingAdmissionPolicy admissionregistration.ValidatingAdmissionPolicyBinding
admissionregistration.MutatingAdmissionPolicy admissionregistration.MutatingAdmissionPolicyBinding
resource.DeviceClass resource.ResourceClaim resource.ResourceClaimTemplate resource.ResourceSlice
authorization.SubjectAccessReview authorization.SelfSubjectAccessReview authorization.LocalSubjectAccessReview
"""
roots=ROOTS.split()
need=[*roots]
i=0; lines=[]
while i<len(need):
    n=need[i]; i+=1
    lines.append(n+' '+' '.join(a+('='+b if b!=a[:1].lower()+a[1:] else '')+':'+c for a,b,c in fields(n)))
print("// Written by Tools/generate/internal_types.py; not to be edited.\n")
print("/// Upstream's types of no version, a line each; read by `InternalForm`.")
print('enum InternalTypes {\n    static let table = """')
for line in lines:
    words = line.split(' ')
    while words:
        n = 1
        while n < len(words) and sum(map(len, words[:n + 1])) + n < 125: n += 1
        rest = words[n:]
        print('        ' + ' '.join(words[:n]) + (' \\' if rest else ''))
        words = rest
print('        """\n}')
