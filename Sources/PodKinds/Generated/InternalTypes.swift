// Written by Tools/generate/internal_types.py; not to be edited.

/// Upstream's types of no version, a line each; read by `InternalForm`.
enum InternalTypes {
    static let table = """
        core.Pod name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:core.PodSpec Status:core.PodStatus
        core.PodTemplate name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Template:core.PodTemplateSpec
        core.ReplicationController name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:core.ReplicationControllerSpec \
        Status:core.ReplicationControllerStatus
        core.Service name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:core.ServiceSpec Status:core.ServiceStatus
        core.Endpoints name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Subsets:[core.EndpointSubset
        core.Node name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:core.NodeSpec Status:core.NodeStatus
        core.Namespace name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:core.NamespaceSpec Status:core.NamespaceStatus
        core.ConfigMap name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Immutable:?b Data:{s BinaryData:{y
        core.Secret name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Immutable:?b Data:{y Type:s
        core.ServiceAccount name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Secrets:[core.ObjectReference \
        ImagePullSecrets:[core.LocalObjectReference AutomountServiceAccountToken:?b
        core.Event name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry InvolvedObject:core.ObjectReference Reason:s Message:s \
        Source:core.EventSource FirstTimestamp:t LastTimestamp:t Count:n Type:s EventTime:t Series:?core.EventSeries Action:s \
        Related:?core.ObjectReference ReportingController=reportingComponent:s ReportingInstance:s
        core.ResourceQuota name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:core.ResourceQuotaSpec Status:core.ResourceQuotaStatus
        core.LimitRange name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:core.LimitRangeSpec
        core.PersistentVolume name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:core.PersistentVolumeSpec \
        Status:core.PersistentVolumeStatus
        core.PersistentVolumeClaim name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:core.PersistentVolumeClaimSpec \
        Status:core.PersistentVolumeClaimStatus
        core.Binding name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Target:core.ObjectReference
        core.PersistentVolumeSource GCEPersistentDisk=gcePersistentDisk:?core.GCEPersistentDiskVolumeSource \
        AWSElasticBlockStore=awsElasticBlockStore:?core.AWSElasticBlockStoreVolumeSource HostPath:?core.HostPathVolumeSource \
        Glusterfs:?core.GlusterfsPersistentVolumeSource NFS=nfs:?core.NFSVolumeSource RBD=rbd:?core.RBDPersistentVolumeSource \
        Quobyte:?core.QuobyteVolumeSource ISCSI=iscsi:?core.ISCSIPersistentVolumeSource FlexVolume:?core.FlexPersistentVolumeSource \
        Cinder:?core.CinderPersistentVolumeSource CephFS=cephfs:?core.CephFSPersistentVolumeSource FC=fc:?core.FCVolumeSource \
        Flocker:?core.FlockerVolumeSource AzureFile:?core.AzureFilePersistentVolumeSource \
        VsphereVolume:?core.VsphereVirtualDiskVolumeSource AzureDisk:?core.AzureDiskVolumeSource \
        PhotonPersistentDisk:?core.PhotonPersistentDiskVolumeSource PortworxVolume:?core.PortworxVolumeSource \
        ScaleIO:?core.ScaleIOPersistentVolumeSource Local:?core.LocalVolumeSource \
        StorageOS=storageos:?core.StorageOSPersistentVolumeSource CSI=csi:?core.CSIPersistentVolumeSource
        apps.Deployment name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:apps.DeploymentSpec Status:apps.DeploymentStatus
        apps.ReplicaSet name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:apps.ReplicaSetSpec Status:apps.ReplicaSetStatus
        apps.StatefulSet name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:apps.StatefulSetSpec Status:apps.StatefulSetStatus
        apps.DaemonSet name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:apps.DaemonSetSpec Status:apps.DaemonSetStatus
        apps.ControllerRevision name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Data:?a Revision:n
        batch.Job name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:batch.JobSpec Status:batch.JobStatus
        batch.CronJob name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:batch.CronJobSpec Status:batch.CronJobStatus
        autoscaling.HorizontalPodAutoscaler name=metadata.name:~s generateName=metadata.generateName:~s \
        namespace=metadata.namespace:~s selfLink=metadata.selfLink:~s uid=metadata.uid:~s \
        resourceVersion=metadata.resourceVersion:~s generation=metadata.generation:~n \
        creationTimestamp=metadata.creationTimestamp:~t deletionTimestamp=metadata.deletionTimestamp:~?t \
        deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n labels=metadata.labels:~{s \
        annotations=metadata.annotations:~{s ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference \
        finalizers=metadata.finalizers:~[s managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry \
        Spec:autoscaling.HorizontalPodAutoscalerSpec Status:autoscaling.HorizontalPodAutoscalerStatus
        policy.PodDisruptionBudget name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:policy.PodDisruptionBudgetSpec \
        Status:policy.PodDisruptionBudgetStatus
        networking.Ingress name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:networking.IngressSpec Status:networking.IngressStatus
        networking.IngressClass name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:networking.IngressClassSpec
        networking.NetworkPolicy name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:networking.NetworkPolicySpec
        networking.IPAddress name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:networking.IPAddressSpec
        networking.ServiceCIDR name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:networking.ServiceCIDRSpec \
        Status:networking.ServiceCIDRStatus
        discovery.EndpointSlice name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry AddressType:s Endpoints:[discovery.Endpoint \
        Ports:[discovery.EndpointPort
        storage.StorageClass name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Provisioner:s Parameters:{s ReclaimPolicy:?s \
        MountOptions:[s AllowVolumeExpansion:?b VolumeBindingMode:?s AllowedTopologies:[core.TopologySelectorTerm
        storage.VolumeAttachment name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:storage.VolumeAttachmentSpec \
        Status:storage.VolumeAttachmentStatus
        storage.CSIDriver name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:storage.CSIDriverSpec
        storage.CSINode name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:storage.CSINodeSpec
        storage.CSIStorageCapacity name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry NodeTopology:?metav1.LabelSelector StorageClassName:s \
        Capacity:?q MaximumVolumeSize:?q
        storage.VolumeAttributesClass name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry DriverName:s Parameters:{s
        rbac.Role name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Rules:[rbac.PolicyRule
        rbac.ClusterRole name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Rules:[rbac.PolicyRule \
        AggregationRule:?rbac.AggregationRule
        rbac.RoleBinding name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Subjects:[rbac.Subject RoleRef:rbac.RoleRef
        rbac.ClusterRoleBinding name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Subjects:[rbac.Subject RoleRef:rbac.RoleRef
        scheduling.PriorityClass name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Value:n GlobalDefault:b Description:s PreemptionPolicy:?s
        node.RuntimeClass name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Handler:s Overhead:?node.Overhead \
        Scheduling:?node.Scheduling
        coordination.Lease name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:coordination.LeaseSpec
        certificates.CertificateSigningRequest name=metadata.name:~s generateName=metadata.generateName:~s \
        namespace=metadata.namespace:~s selfLink=metadata.selfLink:~s uid=metadata.uid:~s \
        resourceVersion=metadata.resourceVersion:~s generation=metadata.generation:~n \
        creationTimestamp=metadata.creationTimestamp:~t deletionTimestamp=metadata.deletionTimestamp:~?t \
        deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n labels=metadata.labels:~{s \
        annotations=metadata.annotations:~{s ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference \
        finalizers=metadata.finalizers:~[s managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry \
        Spec:certificates.CertificateSigningRequestSpec Status:certificates.CertificateSigningRequestStatus
        flowcontrol.FlowSchema name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:flowcontrol.FlowSchemaSpec \
        Status:flowcontrol.FlowSchemaStatus
        flowcontrol.PriorityLevelConfiguration name=metadata.name:~s generateName=metadata.generateName:~s \
        namespace=metadata.namespace:~s selfLink=metadata.selfLink:~s uid=metadata.uid:~s \
        resourceVersion=metadata.resourceVersion:~s generation=metadata.generation:~n \
        creationTimestamp=metadata.creationTimestamp:~t deletionTimestamp=metadata.deletionTimestamp:~?t \
        deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n labels=metadata.labels:~{s \
        annotations=metadata.annotations:~{s ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference \
        finalizers=metadata.finalizers:~[s managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry \
        Spec:flowcontrol.PriorityLevelConfigurationSpec Status:flowcontrol.PriorityLevelConfigurationStatus
        admissionregistration.ValidatingWebhookConfiguration name=metadata.name:~s generateName=metadata.generateName:~s \
        namespace=metadata.namespace:~s selfLink=metadata.selfLink:~s uid=metadata.uid:~s \
        resourceVersion=metadata.resourceVersion:~s generation=metadata.generation:~n \
        creationTimestamp=metadata.creationTimestamp:~t deletionTimestamp=metadata.deletionTimestamp:~?t \
        deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n labels=metadata.labels:~{s \
        annotations=metadata.annotations:~{s ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference \
        finalizers=metadata.finalizers:~[s managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry \
        Webhooks:[admissionregistration.ValidatingWebhook
        admissionregistration.MutatingWebhookConfiguration name=metadata.name:~s generateName=metadata.generateName:~s \
        namespace=metadata.namespace:~s selfLink=metadata.selfLink:~s uid=metadata.uid:~s \
        resourceVersion=metadata.resourceVersion:~s generation=metadata.generation:~n \
        creationTimestamp=metadata.creationTimestamp:~t deletionTimestamp=metadata.deletionTimestamp:~?t \
        deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n labels=metadata.labels:~{s \
        annotations=metadata.annotations:~{s ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference \
        finalizers=metadata.finalizers:~[s managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry \
        Webhooks:[admissionregistration.MutatingWebhook
        admissionregistration.ValidatingAdmissionPolicy name=metadata.name:~s generateName=metadata.generateName:~s \
        namespace=metadata.namespace:~s selfLink=metadata.selfLink:~s uid=metadata.uid:~s \
        resourceVersion=metadata.resourceVersion:~s generation=metadata.generation:~n \
        creationTimestamp=metadata.creationTimestamp:~t deletionTimestamp=metadata.deletionTimestamp:~?t \
        deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n labels=metadata.labels:~{s \
        annotations=metadata.annotations:~{s ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference \
        finalizers=metadata.finalizers:~[s managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry \
        Spec:admissionregistration.ValidatingAdmissionPolicySpec Status:admissionregistration.ValidatingAdmissionPolicyStatus
        admissionregistration.ValidatingAdmissionPolicyBinding name=metadata.name:~s generateName=metadata.generateName:~s \
        namespace=metadata.namespace:~s selfLink=metadata.selfLink:~s uid=metadata.uid:~s \
        resourceVersion=metadata.resourceVersion:~s generation=metadata.generation:~n \
        creationTimestamp=metadata.creationTimestamp:~t deletionTimestamp=metadata.deletionTimestamp:~?t \
        deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n labels=metadata.labels:~{s \
        annotations=metadata.annotations:~{s ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference \
        finalizers=metadata.finalizers:~[s managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry \
        Spec:admissionregistration.ValidatingAdmissionPolicyBindingSpec
        admissionregistration.MutatingAdmissionPolicy name=metadata.name:~s generateName=metadata.generateName:~s \
        namespace=metadata.namespace:~s selfLink=metadata.selfLink:~s uid=metadata.uid:~s \
        resourceVersion=metadata.resourceVersion:~s generation=metadata.generation:~n \
        creationTimestamp=metadata.creationTimestamp:~t deletionTimestamp=metadata.deletionTimestamp:~?t \
        deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n labels=metadata.labels:~{s \
        annotations=metadata.annotations:~{s ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference \
        finalizers=metadata.finalizers:~[s managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry \
        Spec:admissionregistration.MutatingAdmissionPolicySpec
        admissionregistration.MutatingAdmissionPolicyBinding name=metadata.name:~s generateName=metadata.generateName:~s \
        namespace=metadata.namespace:~s selfLink=metadata.selfLink:~s uid=metadata.uid:~s \
        resourceVersion=metadata.resourceVersion:~s generation=metadata.generation:~n \
        creationTimestamp=metadata.creationTimestamp:~t deletionTimestamp=metadata.deletionTimestamp:~?t \
        deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n labels=metadata.labels:~{s \
        annotations=metadata.annotations:~{s ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference \
        finalizers=metadata.finalizers:~[s managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry \
        Spec:admissionregistration.MutatingAdmissionPolicyBindingSpec
        resource.DeviceClass name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:resource.DeviceClassSpec
        resource.ResourceClaim name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:resource.ResourceClaimSpec \
        Status:resource.ResourceClaimStatus
        resource.ResourceClaimTemplate name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:resource.ResourceClaimTemplateSpec
        resource.ResourceSlice name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:resource.ResourceSliceSpec
        authorization.SubjectAccessReview name=metadata.name:~s generateName=metadata.generateName:~s \
        namespace=metadata.namespace:~s selfLink=metadata.selfLink:~s uid=metadata.uid:~s \
        resourceVersion=metadata.resourceVersion:~s generation=metadata.generation:~n \
        creationTimestamp=metadata.creationTimestamp:~t deletionTimestamp=metadata.deletionTimestamp:~?t \
        deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n labels=metadata.labels:~{s \
        annotations=metadata.annotations:~{s ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference \
        finalizers=metadata.finalizers:~[s managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry \
        Spec:authorization.SubjectAccessReviewSpec Status:authorization.SubjectAccessReviewStatus
        authorization.SelfSubjectAccessReview name=metadata.name:~s generateName=metadata.generateName:~s \
        namespace=metadata.namespace:~s selfLink=metadata.selfLink:~s uid=metadata.uid:~s \
        resourceVersion=metadata.resourceVersion:~s generation=metadata.generation:~n \
        creationTimestamp=metadata.creationTimestamp:~t deletionTimestamp=metadata.deletionTimestamp:~?t \
        deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n labels=metadata.labels:~{s \
        annotations=metadata.annotations:~{s ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference \
        finalizers=metadata.finalizers:~[s managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry \
        Spec:authorization.SelfSubjectAccessReviewSpec Status:authorization.SubjectAccessReviewStatus
        authorization.LocalSubjectAccessReview name=metadata.name:~s generateName=metadata.generateName:~s \
        namespace=metadata.namespace:~s selfLink=metadata.selfLink:~s uid=metadata.uid:~s \
        resourceVersion=metadata.resourceVersion:~s generation=metadata.generation:~n \
        creationTimestamp=metadata.creationTimestamp:~t deletionTimestamp=metadata.deletionTimestamp:~?t \
        deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n labels=metadata.labels:~{s \
        annotations=metadata.annotations:~{s ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference \
        finalizers=metadata.finalizers:~[s managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry \
        Spec:authorization.SubjectAccessReviewSpec Status:authorization.SubjectAccessReviewStatus
        metav1.OwnerReference apiVersion:s kind:s name:s uid:s controller:~?b blockOwnerDeletion:~?b
        metav1.ManagedFieldsEntry manager:~s operation:~s apiVersion:~s time:~?t fieldsType:~s fieldsV1:~??a subresource:~s
        core.PodSpec Volumes:[core.Volume InitContainers:[core.Container Containers:[core.Container \
        EphemeralContainers:[core.EphemeralContainer RestartPolicy:s TerminationGracePeriodSeconds:?n ActiveDeadlineSeconds:?n \
        DNSPolicy=dnsPolicy:s NodeSelector:{s ServiceAccountName:s AutomountServiceAccountToken:?b NodeName:s \
        SecurityContext:?core.PodSecurityContext ImagePullSecrets:[core.LocalObjectReference Hostname:s Subdomain:s \
        SetHostnameAsFQDN:?b Affinity:?core.Affinity SchedulerName:s Tolerations:[core.Toleration HostAliases:[core.HostAlias \
        PriorityClassName:s Priority:?n PreemptionPolicy:?s DNSConfig=dnsConfig:?core.PodDNSConfig \
        ReadinessGates:[core.PodReadinessGate RuntimeClassName:?s Overhead:{q EnableServiceLinks:?b \
        TopologySpreadConstraints:[core.TopologySpreadConstraint OS=os:?core.PodOS SchedulingGates:[core.PodSchedulingGate \
        ResourceClaims:[core.PodResourceClaim Resources:?core.ResourceRequirements HostnameOverride:?s \
        SchedulingGroup:?core.PodSchedulingGroup
        core.PodStatus ObservedGeneration:n Phase:s Conditions:[core.PodCondition Message:s Reason:s NominatedNodeName:s HostIP:s \
        HostIPs:[core.HostIP PodIPs:[core.PodIP StartTime:?t QOSClass=qosClass:s InitContainerStatuses:[core.ContainerStatus \
        ContainerStatuses:[core.ContainerStatus EphemeralContainerStatuses:[core.ContainerStatus Resize:s \
        ResourceClaimStatuses:[core.PodResourceClaimStatus ExtendedResourceClaimStatus:?core.PodExtendedResourceClaimStatus \
        AllocatedResources:{q Resources:?core.ResourceRequirements \
        NodeAllocatableResourceClaimStatuses:[core.NodeAllocatableResourceClaimStatus
        core.PodTemplateSpec name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:core.PodSpec
        core.ReplicationControllerSpec Replicas:?n MinReadySeconds:n Selector:{s Template:?core.PodTemplateSpec
        core.ReplicationControllerStatus Replicas:n FullyLabeledReplicas:n ReadyReplicas:n AvailableReplicas:n ObservedGeneration:n \
        Conditions:[core.ReplicationControllerCondition
        core.ServiceSpec Type:s Ports:[core.ServicePort Selector:{s ClusterIP:s ClusterIPs:[s IPFamilies=ipFamilies:[s \
        IPFamilyPolicy=ipFamilyPolicy:?s ExternalName:s ExternalIPs:[s LoadBalancerIP:s SessionAffinity:s \
        SessionAffinityConfig:?core.SessionAffinityConfig LoadBalancerSourceRanges:[s ExternalTrafficPolicy:s HealthCheckNodePort:n \
        PublishNotReadyAddresses:b AllocateLoadBalancerNodePorts:?b LoadBalancerClass:?s InternalTrafficPolicy:?s \
        TrafficDistribution:?s
        core.ServiceStatus LoadBalancer:core.LoadBalancerStatus Conditions:[metav1.Condition
        core.EndpointSubset Addresses:[core.EndpointAddress NotReadyAddresses:[core.EndpointAddress Ports:[core.EndpointPort
        core.NodeSpec PodCIDRs:[s ProviderID:s Unschedulable:b Taints:[core.Taint ConfigSource:?core.NodeConfigSource \
        DoNotUseExternalID=externalID:s
        core.NodeStatus Capacity:{q Allocatable:{q Phase:s Conditions:[core.NodeCondition Addresses:[core.NodeAddress \
        DaemonEndpoints:core.NodeDaemonEndpoints NodeInfo:core.NodeSystemInfo Images:[core.ContainerImage VolumesInUse:[s \
        VolumesAttached:[core.AttachedVolume Config:?core.NodeConfigStatus RuntimeHandlers:[core.NodeRuntimeHandler \
        Features:?core.NodeFeatures DeclaredFeatures:[s
        core.NamespaceSpec Finalizers:[s
        core.NamespaceStatus Phase:s Conditions:[core.NamespaceCondition
        core.ObjectReference Kind:s Namespace:s Name:s UID=uid:s APIVersion=apiVersion:s ResourceVersion:s FieldPath:s
        core.LocalObjectReference Name:s
        core.EventSource Component:s Host:s
        core.EventSeries Count:n LastObservedTime:t
        core.ResourceQuotaSpec Hard:{q Scopes:[s ScopeSelector:?core.ScopeSelector
        core.ResourceQuotaStatus Hard:{q Used:{q
        core.LimitRangeSpec Limits:[core.LimitRangeItem
        core.PersistentVolumeSpec Capacity:{q GCEPersistentDisk=gcePersistentDisk:?core.GCEPersistentDiskVolumeSource \
        AWSElasticBlockStore=awsElasticBlockStore:?core.AWSElasticBlockStoreVolumeSource HostPath:?core.HostPathVolumeSource \
        Glusterfs:?core.GlusterfsPersistentVolumeSource NFS=nfs:?core.NFSVolumeSource RBD=rbd:?core.RBDPersistentVolumeSource \
        Quobyte:?core.QuobyteVolumeSource ISCSI=iscsi:?core.ISCSIPersistentVolumeSource FlexVolume:?core.FlexPersistentVolumeSource \
        Cinder:?core.CinderPersistentVolumeSource CephFS=cephfs:?core.CephFSPersistentVolumeSource FC=fc:?core.FCVolumeSource \
        Flocker:?core.FlockerVolumeSource AzureFile:?core.AzureFilePersistentVolumeSource \
        VsphereVolume:?core.VsphereVirtualDiskVolumeSource AzureDisk:?core.AzureDiskVolumeSource \
        PhotonPersistentDisk:?core.PhotonPersistentDiskVolumeSource PortworxVolume:?core.PortworxVolumeSource \
        ScaleIO:?core.ScaleIOPersistentVolumeSource Local:?core.LocalVolumeSource \
        StorageOS=storageos:?core.StorageOSPersistentVolumeSource CSI=csi:?core.CSIPersistentVolumeSource AccessModes:[s \
        ClaimRef:?core.ObjectReference PersistentVolumeReclaimPolicy:s StorageClassName:s MountOptions:[s VolumeMode:?s \
        NodeAffinity:?core.VolumeNodeAffinity VolumeAttributesClassName:?s
        core.PersistentVolumeStatus Phase:s Message:s Reason:s LastPhaseTransitionTime:?t
        core.PersistentVolumeClaimSpec AccessModes:[s Selector:?metav1.LabelSelector Resources:core.VolumeResourceRequirements \
        VolumeName:s StorageClassName:?s VolumeMode:?s DataSource:?core.TypedLocalObjectReference \
        DataSourceRef:?core.TypedObjectReference VolumeAttributesClassName:?s
        core.PersistentVolumeClaimStatus Phase:s AccessModes:[s Capacity:{q Conditions:[core.PersistentVolumeClaimCondition \
        AllocatedResources:{q AllocatedResourceStatuses:{s CurrentVolumeAttributesClassName:?s \
        ModifyVolumeStatus:?core.ModifyVolumeStatus
        core.GCEPersistentDiskVolumeSource PDName=pdName:s FSType=fsType:s Partition:n ReadOnly:b
        core.AWSElasticBlockStoreVolumeSource VolumeID:s FSType=fsType:s Partition:n ReadOnly:b
        core.HostPathVolumeSource Path:s Type:?s
        core.GlusterfsPersistentVolumeSource EndpointsName=endpoints:s Path:s ReadOnly:b EndpointsNamespace:?s
        core.NFSVolumeSource Server:s Path:s ReadOnly:b
        core.RBDPersistentVolumeSource CephMonitors=monitors:[s RBDImage=image:s FSType=fsType:s RBDPool=pool:s RadosUser=user:s \
        Keyring:s SecretRef:?core.SecretReference ReadOnly:b
        core.QuobyteVolumeSource Registry:s Volume:s ReadOnly:b User:s Group:s Tenant:s
        core.ISCSIPersistentVolumeSource TargetPortal:s IQN=iqn:s Lun:n ISCSIInterface=iscsiInterface:s FSType=fsType:s ReadOnly:b \
        Portals:[s DiscoveryCHAPAuth=chapAuthDiscovery:b SessionCHAPAuth=chapAuthSession:b SecretRef:?core.SecretReference \
        InitiatorName:?s
        core.FlexPersistentVolumeSource Driver:s FSType=fsType:s SecretRef:?core.SecretReference ReadOnly:b Options:{s
        core.CinderPersistentVolumeSource VolumeID:s FSType=fsType:s ReadOnly:b SecretRef:?core.SecretReference
        core.CephFSPersistentVolumeSource Monitors:[s Path:s User:s SecretFile:s SecretRef:?core.SecretReference ReadOnly:b
        core.FCVolumeSource TargetWWNs:[s Lun:?n FSType=fsType:s ReadOnly:b WWIDs=wwids:[s
        core.FlockerVolumeSource DatasetName:s DatasetUUID:s
        core.AzureFilePersistentVolumeSource SecretName:s ShareName:s ReadOnly:b SecretNamespace:?s
        core.VsphereVirtualDiskVolumeSource VolumePath:s FSType=fsType:s StoragePolicyName:s StoragePolicyID:s
        core.AzureDiskVolumeSource DiskName:s DataDiskURI=diskURI:s CachingMode:?s FSType=fsType:?s ReadOnly:?b Kind:?s
        core.PhotonPersistentDiskVolumeSource PdID:s FSType=fsType:s
        core.PortworxVolumeSource VolumeID:s FSType=fsType:s ReadOnly:b
        core.ScaleIOPersistentVolumeSource Gateway:s System:s SecretRef:?core.SecretReference SSLEnabled=sslEnabled:b \
        ProtectionDomain:s StoragePool:s StorageMode:s VolumeName:s FSType=fsType:s ReadOnly:b
        core.LocalVolumeSource Path:s FSType=fsType:?s
        core.StorageOSPersistentVolumeSource VolumeName:s VolumeNamespace:s FSType=fsType:s ReadOnly:b \
        SecretRef:?core.ObjectReference
        core.CSIPersistentVolumeSource Driver:s VolumeHandle:s ReadOnly:b FSType=fsType:s VolumeAttributes:{s \
        ControllerPublishSecretRef:?core.SecretReference NodeStageSecretRef:?core.SecretReference \
        NodePublishSecretRef:?core.SecretReference ControllerExpandSecretRef:?core.SecretReference \
        NodeExpandSecretRef:?core.SecretReference
        apps.DeploymentSpec Replicas:n Selector:?metav1.LabelSelector Template:core.PodTemplateSpec Strategy:apps.DeploymentStrategy \
        MinReadySeconds:n RevisionHistoryLimit:?n Paused:b RollbackTo=!RollbackTo:?apps.RollbackConfig ProgressDeadlineSeconds:?n
        apps.DeploymentStatus ObservedGeneration:n Replicas:n UpdatedReplicas:n ReadyReplicas:n AvailableReplicas:n \
        UnavailableReplicas:n TerminatingReplicas:?n Conditions:[apps.DeploymentCondition CollisionCount:?n
        apps.ReplicaSetSpec Replicas:n MinReadySeconds:n Selector:?metav1.LabelSelector Template:core.PodTemplateSpec
        apps.ReplicaSetStatus Replicas:n FullyLabeledReplicas:n ReadyReplicas:n AvailableReplicas:n TerminatingReplicas:?n \
        ObservedGeneration:n Conditions:[apps.ReplicaSetCondition
        apps.StatefulSetSpec Replicas:n Selector:?metav1.LabelSelector Template:core.PodTemplateSpec \
        VolumeClaimTemplates:[core.PersistentVolumeClaim ServiceName:s PodManagementPolicy:s \
        UpdateStrategy:apps.StatefulSetUpdateStrategy RevisionHistoryLimit:?n MinReadySeconds:n \
        PersistentVolumeClaimRetentionPolicy:?apps.StatefulSetPersistentVolumeClaimRetentionPolicy \
        Ordinals:?apps.StatefulSetOrdinals
        apps.StatefulSetStatus ObservedGeneration:?n Replicas:n ReadyReplicas:n CurrentReplicas:n UpdatedReplicas:n \
        CurrentRevision:s UpdateRevision:s CollisionCount:?n Conditions:[apps.StatefulSetCondition AvailableReplicas:n
        apps.DaemonSetSpec Selector:?metav1.LabelSelector Template:core.PodTemplateSpec UpdateStrategy:apps.DaemonSetUpdateStrategy \
        MinReadySeconds:n TemplateGeneration=!TemplateGeneration:n RevisionHistoryLimit:?n
        apps.DaemonSetStatus CurrentNumberScheduled:n NumberMisscheduled:n DesiredNumberScheduled:n NumberReady:n \
        ObservedGeneration:n UpdatedNumberScheduled:n NumberAvailable:n NumberUnavailable:n CollisionCount:?n \
        Conditions:[apps.DaemonSetCondition
        batch.JobSpec Parallelism:?n Completions:?n PodFailurePolicy:?batch.PodFailurePolicy SuccessPolicy:?batch.SuccessPolicy \
        ActiveDeadlineSeconds:?n BackoffLimit:?n BackoffLimitPerIndex:?n MaxFailedIndexes:?n Selector:?metav1.LabelSelector \
        ManualSelector:?b Template:core.PodTemplateSpec TTLSecondsAfterFinished=ttlSecondsAfterFinished:?n CompletionMode:?s \
        Suspend:?b PodReplacementPolicy:?s ManagedBy:?s
        batch.JobStatus Conditions:[batch.JobCondition StartTime:?t CompletionTime:?t Active:n Terminating:?n Ready:?n Succeeded:n \
        Failed:n CompletedIndexes:s FailedIndexes:?s UncountedTerminatedPods:?batch.UncountedTerminatedPods
        batch.CronJobSpec Schedule:s TimeZone:?s StartingDeadlineSeconds:?n ConcurrencyPolicy:s Suspend:?b \
        JobTemplate:batch.JobTemplateSpec SuccessfulJobsHistoryLimit:?n FailedJobsHistoryLimit:?n
        batch.CronJobStatus Active:[core.ObjectReference LastScheduleTime:?t LastSuccessfulTime:?t
        autoscaling.HorizontalPodAutoscalerSpec ScaleTargetRef:autoscaling.CrossVersionObjectReference MinReplicas:?n MaxReplicas:n \
        Metrics:[autoscaling.MetricSpec Behavior:?autoscaling.HorizontalPodAutoscalerBehavior
        autoscaling.HorizontalPodAutoscalerStatus ObservedGeneration:?n LastScaleTime:?t CurrentReplicas:n DesiredReplicas:n \
        CurrentMetrics:[autoscaling.MetricStatus Conditions:[autoscaling.HorizontalPodAutoscalerCondition
        policy.PodDisruptionBudgetSpec MinAvailable:?i Selector:?metav1.LabelSelector MaxUnavailable:?i \
        UnhealthyPodEvictionPolicy:?s
        policy.PodDisruptionBudgetStatus ObservedGeneration:n DisruptedPods:{t DisruptionsAllowed:n CurrentHealthy:n \
        DesiredHealthy:n ExpectedPods:n Conditions:[metav1.Condition
        networking.IngressSpec IngressClassName:?s DefaultBackend:?networking.IngressBackend TLS=tls:[networking.IngressTLS \
        Rules:[networking.IngressRule
        networking.IngressStatus LoadBalancer:networking.IngressLoadBalancerStatus
        networking.IngressClassSpec Controller:s Parameters:?networking.IngressClassParametersReference
        networking.NetworkPolicySpec PodSelector:metav1.LabelSelector Ingress:[networking.NetworkPolicyIngressRule \
        Egress:[networking.NetworkPolicyEgressRule PolicyTypes:[s
        networking.IPAddressSpec ParentRef:?networking.ParentReference
        networking.ServiceCIDRSpec CIDRs=cidrs:[s
        networking.ServiceCIDRStatus Conditions:[metav1.Condition
        discovery.Endpoint Addresses:[s Conditions:discovery.EndpointConditions Hostname:?s TargetRef:?core.ObjectReference \
        DeprecatedTopology:{s NodeName:?s Zone:?s Hints:?discovery.EndpointHints
        discovery.EndpointPort Name:?s Protocol:?s Port:?n AppProtocol:?s
        core.TopologySelectorTerm MatchLabelExpressions:[core.TopologySelectorLabelRequirement
        storage.VolumeAttachmentSpec Attacher:s Source:storage.VolumeAttachmentSource NodeName:s
        storage.VolumeAttachmentStatus Attached:b AttachmentMetadata:{s AttachError:?storage.VolumeError \
        DetachError:?storage.VolumeError
        storage.CSIDriverSpec AttachRequired:?b FSGroupPolicy=fsGroupPolicy:?s PodInfoOnMount:?b VolumeLifecycleModes:[s \
        StorageCapacity:?b TokenRequests:[storage.TokenRequest RequiresRepublish:?b SELinuxMount=seLinuxMount:?b \
        NodeAllocatableUpdatePeriodSeconds:?n ServiceAccountTokenInSecrets:?b PreventPodSchedulingIfMissing:?b
        storage.CSINodeSpec Drivers:[storage.CSINodeDriver
        metav1.LabelSelector matchLabels:~{s matchExpressions:~[metav1.LabelSelectorRequirement
        rbac.PolicyRule Verbs:[s APIGroups=apiGroups:[s Resources:[s ResourceNames:[s NonResourceURLs:[s
        rbac.AggregationRule ClusterRoleSelectors:[metav1.LabelSelector
        rbac.Subject Kind:s APIGroup=apiGroup:s Name:s Namespace:s
        rbac.RoleRef APIGroup=apiGroup:s Kind:s Name:s
        node.Overhead PodFixed:{q
        node.Scheduling NodeSelector:{s Tolerations:[core.Toleration
        coordination.LeaseSpec HolderIdentity:?s LeaseDurationSeconds:?n AcquireTime:?t RenewTime:?t LeaseTransitions:?n Strategy:?s \
        PreferredHolder:?s
        certificates.CertificateSigningRequestSpec Request:y SignerName:s ExpirationSeconds:?n Usages:[s Username:s UID=uid:s \
        Groups:[s Extra:{[s
        certificates.CertificateSigningRequestStatus Conditions:[certificates.CertificateSigningRequestCondition Certificate:y
        flowcontrol.FlowSchemaSpec PriorityLevelConfiguration:flowcontrol.PriorityLevelConfigurationReference MatchingPrecedence:n \
        DistinguisherMethod:?flowcontrol.FlowDistinguisherMethod Rules:[flowcontrol.PolicyRulesWithSubjects
        flowcontrol.FlowSchemaStatus Conditions:[flowcontrol.FlowSchemaCondition
        flowcontrol.PriorityLevelConfigurationSpec Type:s Limited:?flowcontrol.LimitedPriorityLevelConfiguration \
        Exempt:?flowcontrol.ExemptPriorityLevelConfiguration
        flowcontrol.PriorityLevelConfigurationStatus Conditions:[flowcontrol.PriorityLevelConfigurationCondition
        admissionregistration.ValidatingWebhook Name:s ClientConfig:admissionregistration.WebhookClientConfig \
        Rules:[admissionregistration.RuleWithOperations FailurePolicy:?s MatchPolicy:?s NamespaceSelector:?metav1.LabelSelector \
        ObjectSelector:?metav1.LabelSelector SideEffects:?s TimeoutSeconds:?n AdmissionReviewVersions:[s \
        MatchConditions:[admissionregistration.MatchCondition
        admissionregistration.MutatingWebhook Name:s ClientConfig:admissionregistration.WebhookClientConfig \
        Rules:[admissionregistration.RuleWithOperations FailurePolicy:?s MatchPolicy:?s NamespaceSelector:?metav1.LabelSelector \
        ObjectSelector:?metav1.LabelSelector SideEffects:?s TimeoutSeconds:?n AdmissionReviewVersions:[s ReinvocationPolicy:?s \
        MatchConditions:[admissionregistration.MatchCondition
        admissionregistration.ValidatingAdmissionPolicySpec ParamKind:?admissionregistration.ParamKind \
        MatchConstraints:?admissionregistration.MatchResources Validations:[admissionregistration.Validation \
        MatchConditions:[admissionregistration.MatchCondition FailurePolicy:?s \
        AuditAnnotations:[admissionregistration.AuditAnnotation Variables:[admissionregistration.Variable
        admissionregistration.ValidatingAdmissionPolicyStatus ObservedGeneration:n TypeChecking:?admissionregistration.TypeChecking \
        Conditions:[metav1.Condition
        admissionregistration.ValidatingAdmissionPolicyBindingSpec PolicyName:s ParamRef:?admissionregistration.ParamRef \
        MatchResources:?admissionregistration.MatchResources ValidationActions:[s
        admissionregistration.MutatingAdmissionPolicySpec ParamKind:?admissionregistration.ParamKind \
        MatchConstraints:?admissionregistration.MatchResources Variables:[admissionregistration.Variable \
        Mutations:[admissionregistration.Mutation FailurePolicy:?s MatchConditions:[admissionregistration.MatchCondition \
        ReinvocationPolicy:s
        admissionregistration.MutatingAdmissionPolicyBindingSpec PolicyName:s ParamRef:?admissionregistration.ParamRef \
        MatchResources:?admissionregistration.MatchResources
        resource.DeviceClassSpec Selectors:[resource.DeviceSelector Config:[resource.DeviceClassConfiguration \
        ExtendedResourceName:?s
        resource.ResourceClaimSpec Devices:resource.DeviceClaim
        resource.ResourceClaimStatus Allocation:?resource.AllocationResult ReservedFor:[resource.ResourceClaimConsumerReference \
        Devices:[resource.AllocatedDeviceStatus
        resource.ResourceClaimTemplateSpec name=metadata.name:~s generateName=metadata.generateName:~s \
        namespace=metadata.namespace:~s selfLink=metadata.selfLink:~s uid=metadata.uid:~s \
        resourceVersion=metadata.resourceVersion:~s generation=metadata.generation:~n \
        creationTimestamp=metadata.creationTimestamp:~t deletionTimestamp=metadata.deletionTimestamp:~?t \
        deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n labels=metadata.labels:~{s \
        annotations=metadata.annotations:~{s ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference \
        finalizers=metadata.finalizers:~[s managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry \
        Spec:resource.ResourceClaimSpec
        resource.ResourceSliceSpec Driver:s Pool:resource.ResourcePool NodeName:?s NodeSelector:?core.NodeSelector AllNodes:?b \
        Devices:[resource.Device PerDeviceNodeSelection:?b SharedCounters:[resource.CounterSet
        authorization.SubjectAccessReviewSpec ResourceAttributes:?authorization.ResourceAttributes \
        NonResourceAttributes:?authorization.NonResourceAttributes User:s Groups:[s Extra:{[s UID=uid:s
        authorization.SubjectAccessReviewStatus Allowed:b Denied:b Reason:s EvaluationError:s
        authorization.SelfSubjectAccessReviewSpec ResourceAttributes:?authorization.ResourceAttributes \
        NonResourceAttributes:?authorization.NonResourceAttributes
        core.Volume Name:s HostPath:?core.HostPathVolumeSource EmptyDir:?core.EmptyDirVolumeSource \
        GCEPersistentDisk=gcePersistentDisk:?core.GCEPersistentDiskVolumeSource \
        AWSElasticBlockStore=awsElasticBlockStore:?core.AWSElasticBlockStoreVolumeSource GitRepo:?core.GitRepoVolumeSource \
        Secret:?core.SecretVolumeSource NFS=nfs:?core.NFSVolumeSource ISCSI=iscsi:?core.ISCSIVolumeSource \
        Glusterfs:?core.GlusterfsVolumeSource PersistentVolumeClaim:?core.PersistentVolumeClaimVolumeSource \
        RBD=rbd:?core.RBDVolumeSource Quobyte:?core.QuobyteVolumeSource FlexVolume:?core.FlexVolumeSource \
        Cinder:?core.CinderVolumeSource CephFS=cephfs:?core.CephFSVolumeSource Flocker:?core.FlockerVolumeSource \
        DownwardAPI:?core.DownwardAPIVolumeSource FC=fc:?core.FCVolumeSource AzureFile:?core.AzureFileVolumeSource \
        ConfigMap:?core.ConfigMapVolumeSource VsphereVolume:?core.VsphereVirtualDiskVolumeSource \
        AzureDisk:?core.AzureDiskVolumeSource PhotonPersistentDisk:?core.PhotonPersistentDiskVolumeSource \
        Projected:?core.ProjectedVolumeSource PortworxVolume:?core.PortworxVolumeSource ScaleIO:?core.ScaleIOVolumeSource \
        StorageOS=storageos:?core.StorageOSVolumeSource CSI=csi:?core.CSIVolumeSource Ephemeral:?core.EphemeralVolumeSource \
        Image:?core.ImageVolumeSource
        core.Container Name:s Image:s Command:[s Args:[s WorkingDir:s Ports:[core.ContainerPort EnvFrom:[core.EnvFromSource \
        Env:[core.EnvVar Resources:core.ResourceRequirements ResizePolicy:[core.ContainerResizePolicy RestartPolicy:?s \
        RestartPolicyRules:[core.ContainerRestartRule VolumeMounts:[core.VolumeMount VolumeDevices:[core.VolumeDevice \
        LivenessProbe:?core.Probe ReadinessProbe:?core.Probe StartupProbe:?core.Probe Lifecycle:?core.Lifecycle \
        TerminationMessagePath:s TerminationMessagePolicy:s ImagePullPolicy:s SecurityContext:?core.SecurityContext Stdin:b \
        StdinOnce:b TTY=tty:b
        core.EphemeralContainer Name:s Image:s Command:[s Args:[s WorkingDir:s Ports:[core.ContainerPort EnvFrom:[core.EnvFromSource \
        Env:[core.EnvVar Resources:core.ResourceRequirements ResizePolicy:[core.ContainerResizePolicy RestartPolicy:?s \
        RestartPolicyRules:[core.ContainerRestartRule VolumeMounts:[core.VolumeMount VolumeDevices:[core.VolumeDevice \
        LivenessProbe:?core.Probe ReadinessProbe:?core.Probe StartupProbe:?core.Probe Lifecycle:?core.Lifecycle \
        TerminationMessagePath:s TerminationMessagePolicy:s ImagePullPolicy:s SecurityContext:?core.SecurityContext Stdin:b \
        StdinOnce:b TTY=tty:b TargetContainerName:s
        core.PodSecurityContext HostNetwork=^hostNetwork:b HostPID=^hostPID:b HostIPC=^hostIPC:b \
        ShareProcessNamespace=^shareProcessNamespace:?b HostUsers=^hostUsers:?b SELinuxOptions=seLinuxOptions:?core.SELinuxOptions \
        WindowsOptions:?core.WindowsSecurityContextOptions RunAsUser:?n RunAsGroup:?n RunAsNonRoot:?b SupplementalGroups:[n \
        SupplementalGroupsPolicy:?s FSGroup=fsGroup:?n FSGroupChangePolicy=fsGroupChangePolicy:?s Sysctls:[core.Sysctl \
        SeccompProfile:?core.SeccompProfile AppArmorProfile:?core.AppArmorProfile SELinuxChangePolicy=seLinuxChangePolicy:?s
        core.Affinity NodeAffinity:?core.NodeAffinity PodAffinity:?core.PodAffinity PodAntiAffinity:?core.PodAntiAffinity
        core.Toleration Key:s Operator:s Value:s Effect:s TolerationSeconds:?n
        core.HostAlias IP=ip:s Hostnames:[s
        core.PodDNSConfig Nameservers:[s Searches:[s Options:[core.PodDNSConfigOption
        core.PodReadinessGate ConditionType:s
        core.TopologySpreadConstraint MaxSkew:n TopologyKey:s WhenUnsatisfiable:s LabelSelector:?metav1.LabelSelector MinDomains:?n \
        NodeAffinityPolicy:?s NodeTaintsPolicy:?s MatchLabelKeys:[s
        core.PodOS Name:s
        core.PodSchedulingGate Name:s
        core.PodResourceClaim Name:s ResourceClaimName:?s ResourceClaimTemplateName:?s
        core.ResourceRequirements Limits:{q Requests:{q Claims:[core.ResourceClaim
        core.PodSchedulingGroup PodGroupName:?s
        core.PodCondition Type:s ObservedGeneration:n Status:s LastProbeTime:t LastTransitionTime:t Reason:s Message:s
        core.HostIP IP=ip:s
        core.PodIP IP=ip:s
        core.ContainerStatus Name:s State:core.ContainerState LastTerminationState=lastState:core.ContainerState Ready:b \
        RestartCount:n Image:s ImageID:s ContainerID:s Started:?b AllocatedResources:{q Resources:?core.ResourceRequirements \
        VolumeMounts:[core.VolumeMountStatus User:?core.ContainerUser AllocatedResourcesStatus:[core.ResourceStatus StopSignal:?s
        core.PodResourceClaimStatus Name:s ResourceClaimName:?s
        core.PodExtendedResourceClaimStatus RequestMappings:[core.ContainerExtendedResourceRequest ResourceClaimName:s
        core.NodeAllocatableResourceClaimStatus ResourceClaimName:s Containers:[s Resources:{q
        core.ReplicationControllerCondition Type:s Status:s LastTransitionTime:t Reason:s Message:s
        core.ServicePort Name:s Protocol:s AppProtocol:?s Port:n TargetPort:i NodePort:n
        core.SessionAffinityConfig ClientIP:?core.ClientIPConfig
        core.LoadBalancerStatus Ingress:[core.LoadBalancerIngress
        metav1.Condition type:s status:s observedGeneration:~n lastTransitionTime:t reason:s message:s
        core.EndpointAddress IP=ip:s Hostname:s NodeName:?s TargetRef:?core.ObjectReference
        core.EndpointPort Name:s Port:n Protocol:s AppProtocol:?s
        core.Taint Key:s Value:s Effect:s TimeAdded:?t
        core.NodeConfigSource ConfigMap:?core.ConfigMapNodeConfigSource
        core.NodeCondition Type:s Status:s LastHeartbeatTime:t LastTransitionTime:t Reason:s Message:s
        core.NodeAddress Type:s Address:s
        core.NodeDaemonEndpoints KubeletEndpoint:core.DaemonEndpoint
        core.NodeSystemInfo MachineID:s SystemUUID:s BootID:s KernelVersion:s OSImage=osImage:s ContainerRuntimeVersion:s \
        KubeletVersion:s KubeProxyVersion:s OperatingSystem:s Architecture:s Swap:?core.NodeSwapStatus
        core.ContainerImage Names:[s SizeBytes:n
        core.AttachedVolume Name:s DevicePath:s
        core.NodeConfigStatus Assigned:?core.NodeConfigSource Active:?core.NodeConfigSource LastKnownGood:?core.NodeConfigSource \
        Error:s
        core.NodeRuntimeHandler Name:s Features:?core.NodeRuntimeHandlerFeatures
        core.NodeFeatures SupplementalGroupsPolicy:?b
        core.NamespaceCondition Type:s Status:s LastTransitionTime:t Reason:s Message:s
        core.ScopeSelector MatchExpressions:[core.ScopedResourceSelectorRequirement
        core.LimitRangeItem Type:s Max:{q Min:{q Default:{q DefaultRequest:{q MaxLimitRequestRatio:{q
        core.VolumeNodeAffinity Required:?core.NodeSelector
        core.VolumeResourceRequirements Limits:{q Requests:{q
        core.TypedLocalObjectReference APIGroup=apiGroup:?s Kind:s Name:s
        core.TypedObjectReference APIGroup=apiGroup:?s Kind:s Name:s Namespace:?s
        core.PersistentVolumeClaimCondition Type:s Status:s LastProbeTime:t LastTransitionTime:t Reason:s Message:s
        core.ModifyVolumeStatus TargetVolumeAttributesClassName:s Status:s
        core.SecretReference Name:s Namespace:s
        apps.DeploymentStrategy Type:s RollingUpdate:?apps.RollingUpdateDeployment
        apps.RollbackConfig Revision=!Revision:n
        apps.DeploymentCondition Type:s Status:s LastUpdateTime:t LastTransitionTime:t Reason:s Message:s
        apps.ReplicaSetCondition Type:s Status:s LastTransitionTime:t Reason:s Message:s
        apps.StatefulSetUpdateStrategy Type:s RollingUpdate:?apps.RollingUpdateStatefulSetStrategy
        apps.StatefulSetPersistentVolumeClaimRetentionPolicy WhenDeleted:s WhenScaled:s
        apps.StatefulSetOrdinals Start:n
        apps.StatefulSetCondition Type:s Status:s LastTransitionTime:t Reason:s Message:s
        apps.DaemonSetUpdateStrategy Type:s RollingUpdate:?apps.RollingUpdateDaemonSet
        apps.DaemonSetCondition Type:s Status:s LastTransitionTime:t Reason:s Message:s
        batch.PodFailurePolicy Rules:[batch.PodFailurePolicyRule
        batch.SuccessPolicy Rules:[batch.SuccessPolicyRule
        batch.JobCondition Type:s Status:s LastProbeTime:t LastTransitionTime:t Reason:s Message:s
        batch.UncountedTerminatedPods Succeeded:[s Failed:[s
        batch.JobTemplateSpec name=metadata.name:~s generateName=metadata.generateName:~s namespace=metadata.namespace:~s \
        selfLink=metadata.selfLink:~s uid=metadata.uid:~s resourceVersion=metadata.resourceVersion:~s \
        generation=metadata.generation:~n creationTimestamp=metadata.creationTimestamp:~t \
        deletionTimestamp=metadata.deletionTimestamp:~?t deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n \
        labels=metadata.labels:~{s annotations=metadata.annotations:~{s \
        ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference finalizers=metadata.finalizers:~[s \
        managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry Spec:batch.JobSpec
        autoscaling.CrossVersionObjectReference Kind:s Name:s APIVersion=apiVersion:s
        autoscaling.MetricSpec Type:s Object:?autoscaling.ObjectMetricSource Pods:?autoscaling.PodsMetricSource \
        Resource:?autoscaling.ResourceMetricSource ContainerResource:?autoscaling.ContainerResourceMetricSource \
        External:?autoscaling.ExternalMetricSource
        autoscaling.HorizontalPodAutoscalerBehavior ScaleUp:?autoscaling.HPAScalingRules ScaleDown:?autoscaling.HPAScalingRules
        autoscaling.MetricStatus Type:s Object:?autoscaling.ObjectMetricStatus Pods:?autoscaling.PodsMetricStatus \
        Resource:?autoscaling.ResourceMetricStatus ContainerResource:?autoscaling.ContainerResourceMetricStatus \
        External:?autoscaling.ExternalMetricStatus
        autoscaling.HorizontalPodAutoscalerCondition Type:s Status:s LastTransitionTime:t Reason:s Message:s
        networking.IngressBackend Service:?networking.IngressServiceBackend Resource:?core.TypedLocalObjectReference
        networking.IngressTLS Hosts:[s SecretName:s
        networking.IngressRule Host:s HTTP=http:?networking.HTTPIngressRuleValue
        networking.IngressLoadBalancerStatus Ingress:[networking.IngressLoadBalancerIngress
        networking.IngressClassParametersReference APIGroup=apiGroup:?s Kind:s Name:s Scope:?s Namespace:?s
        networking.NetworkPolicyIngressRule Ports:[networking.NetworkPolicyPort From:[networking.NetworkPolicyPeer
        networking.NetworkPolicyEgressRule Ports:[networking.NetworkPolicyPort To:[networking.NetworkPolicyPeer
        networking.ParentReference Group:s Resource:s Namespace:s Name:s
        discovery.EndpointConditions Ready:?b Serving:?b Terminating:?b
        discovery.EndpointHints ForZones:[discovery.ForZone ForNodes:[discovery.ForNode
        core.TopologySelectorLabelRequirement Key:s Values:[s
        storage.VolumeAttachmentSource PersistentVolumeName:?s InlineVolumeSpec:?core.PersistentVolumeSpec
        storage.VolumeError Time:t Message:s ErrorCode:?n
        storage.TokenRequest Audience:s ExpirationSeconds:?n
        storage.CSINodeDriver Name:s NodeID:s TopologyKeys:[s Allocatable:?storage.VolumeNodeResources
        metav1.LabelSelectorRequirement key:s operator:s values:~[s
        certificates.CertificateSigningRequestCondition Type:s Status:s Reason:s Message:s LastUpdateTime:t LastTransitionTime:t
        flowcontrol.PriorityLevelConfigurationReference Name:s
        flowcontrol.FlowDistinguisherMethod Type:s
        flowcontrol.PolicyRulesWithSubjects Subjects:[flowcontrol.Subject ResourceRules:[flowcontrol.ResourcePolicyRule \
        NonResourceRules:[flowcontrol.NonResourcePolicyRule
        flowcontrol.FlowSchemaCondition Type:s Status:s LastTransitionTime:t Reason:s Message:s
        flowcontrol.LimitedPriorityLevelConfiguration NominalConcurrencyShares:n LimitResponse:flowcontrol.LimitResponse \
        LendablePercent:?n BorrowingLimitPercent:?n
        flowcontrol.ExemptPriorityLevelConfiguration NominalConcurrencyShares:?n LendablePercent:?n
        flowcontrol.PriorityLevelConfigurationCondition Type:s Status:s LastTransitionTime:t Reason:s Message:s
        admissionregistration.WebhookClientConfig URL=url:?s Service:?admissionregistration.ServiceReference CABundle=caBundle:y
        admissionregistration.RuleWithOperations Operations:[s APIGroups=apiGroups:[s APIVersions=apiVersions:[s Resources:[s \
        Scope:?s
        admissionregistration.MatchCondition Name:s Expression:s
        admissionregistration.ParamKind APIVersion=apiVersion:s Kind:s
        admissionregistration.MatchResources NamespaceSelector:?metav1.LabelSelector ObjectSelector:?metav1.LabelSelector \
        ResourceRules:[admissionregistration.NamedRuleWithOperations \
        ExcludeResourceRules:[admissionregistration.NamedRuleWithOperations MatchPolicy:?s
        admissionregistration.Validation Expression:s Message:s Reason:?s MessageExpression:s
        admissionregistration.AuditAnnotation Key:s ValueExpression:s
        admissionregistration.Variable Name:s Expression:s
        admissionregistration.TypeChecking ExpressionWarnings:[admissionregistration.ExpressionWarning
        admissionregistration.ParamRef Name:s Namespace:s Selector:?metav1.LabelSelector ParameterNotFoundAction:?s
        admissionregistration.Mutation PatchType:s ApplyConfiguration:?admissionregistration.ApplyConfiguration \
        JSONPatch=jsonPatch:?admissionregistration.JSONPatch
        resource.DeviceSelector CEL=cel:?resource.CELDeviceSelector
        resource.DeviceClassConfiguration Opaque:?resource.OpaqueDeviceConfiguration
        resource.DeviceClaim Requests:[resource.DeviceRequest Constraints:[resource.DeviceConstraint \
        Config:[resource.DeviceClaimConfiguration
        resource.AllocationResult Devices:resource.DeviceAllocationResult NodeSelector:?core.NodeSelector AllocationTimestamp:?t
        resource.ResourceClaimConsumerReference APIGroup=apiGroup:s Resource:s Name:s UID=uid:s
        resource.AllocatedDeviceStatus Driver:s Pool:s Device:s ShareID:?s Conditions:[metav1.Condition Data:??a \
        NetworkData:?resource.NetworkDeviceData
        resource.ResourcePool Name:s Generation:n ResourceSliceCount:n
        core.NodeSelector NodeSelectorTerms:[core.NodeSelectorTerm
        resource.Device Name:s Attributes:{resource.DeviceAttribute Capacity:{resource.DeviceCapacity \
        ConsumesCounters:[resource.DeviceCounterConsumption NodeName:?s NodeSelector:?core.NodeSelector AllNodes:?b \
        Taints:[resource.DeviceTaint BindsToNode:?b BindingConditions:[s BindingFailureConditions:[s AllowMultipleAllocations:?b \
        NodeAllocatableResourceMappings:{resource.NodeAllocatableResourceMapping
        resource.CounterSet Name:s Counters:{resource.Counter
        authorization.ResourceAttributes Namespace:s Verb:s Group:s Version:s Resource:s Subresource:s Name:s \
        FieldSelector:?authorization.FieldSelectorAttributes LabelSelector:?authorization.LabelSelectorAttributes
        authorization.NonResourceAttributes Path:s Verb:s
        core.EmptyDirVolumeSource Medium:s SizeLimit:?q
        core.GitRepoVolumeSource Repository:s Revision:s Directory:s
        core.SecretVolumeSource SecretName:s Items:[core.KeyToPath DefaultMode:?n Optional:?b
        core.ISCSIVolumeSource TargetPortal:s IQN=iqn:s Lun:n ISCSIInterface=iscsiInterface:s FSType=fsType:s ReadOnly:b Portals:[s \
        DiscoveryCHAPAuth=chapAuthDiscovery:b SessionCHAPAuth=chapAuthSession:b SecretRef:?core.LocalObjectReference \
        InitiatorName:?s
        core.GlusterfsVolumeSource EndpointsName=endpoints:s Path:s ReadOnly:b
        core.PersistentVolumeClaimVolumeSource ClaimName:s ReadOnly:b
        core.RBDVolumeSource CephMonitors=monitors:[s RBDImage=image:s FSType=fsType:s RBDPool=pool:s RadosUser=user:s Keyring:s \
        SecretRef:?core.LocalObjectReference ReadOnly:b
        core.FlexVolumeSource Driver:s FSType=fsType:s SecretRef:?core.LocalObjectReference ReadOnly:b Options:{s
        core.CinderVolumeSource VolumeID:s FSType=fsType:s ReadOnly:b SecretRef:?core.LocalObjectReference
        core.CephFSVolumeSource Monitors:[s Path:s User:s SecretFile:s SecretRef:?core.LocalObjectReference ReadOnly:b
        core.DownwardAPIVolumeSource Items:[core.DownwardAPIVolumeFile DefaultMode:?n
        core.AzureFileVolumeSource SecretName:s ShareName:s ReadOnly:b
        core.ConfigMapVolumeSource Name:s Items:[core.KeyToPath DefaultMode:?n Optional:?b
        core.ProjectedVolumeSource Sources:[core.VolumeProjection DefaultMode:?n
        core.ScaleIOVolumeSource Gateway:s System:s SecretRef:?core.LocalObjectReference SSLEnabled=sslEnabled:b ProtectionDomain:s \
        StoragePool:s StorageMode:s VolumeName:s FSType=fsType:s ReadOnly:b
        core.StorageOSVolumeSource VolumeName:s VolumeNamespace:s FSType=fsType:s ReadOnly:b SecretRef:?core.LocalObjectReference
        core.CSIVolumeSource Driver:s ReadOnly:?b FSType=fsType:?s VolumeAttributes:{s \
        NodePublishSecretRef:?core.LocalObjectReference
        core.EphemeralVolumeSource VolumeClaimTemplate:?core.PersistentVolumeClaimTemplate
        core.ImageVolumeSource Reference:s PullPolicy:s
        core.ContainerPort Name:s HostPort:n ContainerPort:n Protocol:s HostIP:s
        core.EnvFromSource Prefix:s ConfigMapRef:?core.ConfigMapEnvSource SecretRef:?core.SecretEnvSource
        core.EnvVar Name:s Value:s ValueFrom:?core.EnvVarSource
        core.ContainerResizePolicy ResourceName:s RestartPolicy:s
        core.ContainerRestartRule Action:s ExitCodes:?core.ContainerRestartRuleOnExitCodes
        core.VolumeMount Name:s ReadOnly:b RecursiveReadOnly:?s MountPath:s SubPath:s MountPropagation:?s SubPathExpr:s
        core.VolumeDevice Name:s DevicePath:s
        core.Probe Exec:?core.ExecAction HTTPGet=httpGet:?core.HTTPGetAction TCPSocket=tcpSocket:?core.TCPSocketAction \
        GRPC=grpc:?core.GRPCAction InitialDelaySeconds:n TimeoutSeconds:n PeriodSeconds:n SuccessThreshold:n FailureThreshold:n \
        TerminationGracePeriodSeconds:?n
        core.Lifecycle PostStart:?core.LifecycleHandler PreStop:?core.LifecycleHandler StopSignal:?s
        core.SecurityContext Capabilities:?core.Capabilities Privileged:?b SELinuxOptions=seLinuxOptions:?core.SELinuxOptions \
        WindowsOptions:?core.WindowsSecurityContextOptions RunAsUser:?n RunAsGroup:?n RunAsNonRoot:?b ReadOnlyRootFilesystem:?b \
        AllowPrivilegeEscalation:?b ProcMount:?s SeccompProfile:?core.SeccompProfile AppArmorProfile:?core.AppArmorProfile
        core.SELinuxOptions User:s Role:s Type:s Level:s
        core.WindowsSecurityContextOptions GMSACredentialSpecName=gmsaCredentialSpecName:?s GMSACredentialSpec=gmsaCredentialSpec:?s \
        RunAsUserName:?s HostProcess:?b
        core.Sysctl Name:s Value:s
        core.SeccompProfile Type:s LocalhostProfile:?s
        core.AppArmorProfile Type:s LocalhostProfile:?s
        core.NodeAffinity RequiredDuringSchedulingIgnoredDuringExecution:?core.NodeSelector \
        PreferredDuringSchedulingIgnoredDuringExecution:[core.PreferredSchedulingTerm
        core.PodAffinity RequiredDuringSchedulingIgnoredDuringExecution:[core.PodAffinityTerm \
        PreferredDuringSchedulingIgnoredDuringExecution:[core.WeightedPodAffinityTerm
        core.PodAntiAffinity RequiredDuringSchedulingIgnoredDuringExecution:[core.PodAffinityTerm \
        PreferredDuringSchedulingIgnoredDuringExecution:[core.WeightedPodAffinityTerm
        core.PodDNSConfigOption Name:s Value:?s
        core.ResourceClaim Name:s Request:s
        core.ContainerState Waiting:?core.ContainerStateWaiting Running:?core.ContainerStateRunning \
        Terminated:?core.ContainerStateTerminated
        core.VolumeMountStatus Name:s MountPath:s ReadOnly:b RecursiveReadOnly:?s VolumeStatus:?core.VolumeStatus
        core.ContainerUser Linux:?core.LinuxContainerUser
        core.ResourceStatus Name:s Resources:[core.ResourceHealth
        core.ContainerExtendedResourceRequest ContainerName:s ResourceName:s RequestName:s
        core.ClientIPConfig TimeoutSeconds:?n
        core.LoadBalancerIngress IP=ip:s Hostname:s IPMode=ipMode:?s Ports:[core.PortStatus
        core.ConfigMapNodeConfigSource Namespace:s Name:s UID=uid:s ResourceVersion:s KubeletConfigKey:s
        core.DaemonEndpoint Port=Port:n
        core.NodeSwapStatus Capacity:?n
        core.NodeRuntimeHandlerFeatures RecursiveReadOnlyMounts:?b UserNamespaces:?b
        core.ScopedResourceSelectorRequirement ScopeName:s Operator:s Values:[s
        apps.RollingUpdateDeployment MaxUnavailable:i MaxSurge:i
        apps.RollingUpdateStatefulSetStrategy Partition:n MaxUnavailable:?i
        apps.RollingUpdateDaemonSet MaxUnavailable:i MaxSurge:i
        batch.PodFailurePolicyRule Action:s OnExitCodes:?batch.PodFailurePolicyOnExitCodesRequirement \
        OnPodConditions:[batch.PodFailurePolicyOnPodConditionsPattern
        batch.SuccessPolicyRule SucceededIndexes:?s SucceededCount:?n
        autoscaling.ObjectMetricSource DescribedObject:autoscaling.CrossVersionObjectReference Target:autoscaling.MetricTarget \
        Metric:autoscaling.MetricIdentifier
        autoscaling.PodsMetricSource Metric:autoscaling.MetricIdentifier Target:autoscaling.MetricTarget
        autoscaling.ResourceMetricSource Name:s Target:autoscaling.MetricTarget
        autoscaling.ContainerResourceMetricSource Name:s Container:s Target:autoscaling.MetricTarget
        autoscaling.ExternalMetricSource Metric:autoscaling.MetricIdentifier Target:autoscaling.MetricTarget
        autoscaling.HPAScalingRules StabilizationWindowSeconds:?n SelectPolicy:?s Policies:[autoscaling.HPAScalingPolicy \
        Tolerance:?q
        autoscaling.ObjectMetricStatus Metric:autoscaling.MetricIdentifier Current:autoscaling.MetricValueStatus \
        DescribedObject:autoscaling.CrossVersionObjectReference
        autoscaling.PodsMetricStatus Metric:autoscaling.MetricIdentifier Current:autoscaling.MetricValueStatus
        autoscaling.ResourceMetricStatus Name:s Current:autoscaling.MetricValueStatus
        autoscaling.ContainerResourceMetricStatus Name:s Container:s Current:autoscaling.MetricValueStatus
        autoscaling.ExternalMetricStatus Metric:autoscaling.MetricIdentifier Current:autoscaling.MetricValueStatus
        networking.IngressServiceBackend Name:s Port:networking.ServiceBackendPort
        networking.HTTPIngressRuleValue Paths:[networking.HTTPIngressPath
        networking.IngressLoadBalancerIngress IP=ip:s Hostname:s Ports:[networking.IngressPortStatus
        networking.NetworkPolicyPort Protocol:?s Port:?i EndPort:?n
        networking.NetworkPolicyPeer PodSelector:?metav1.LabelSelector NamespaceSelector:?metav1.LabelSelector \
        IPBlock=ipBlock:?networking.IPBlock
        discovery.ForZone Name:s
        discovery.ForNode Name:s
        storage.VolumeNodeResources Count:?n
        flowcontrol.Subject Kind:s User:?flowcontrol.UserSubject Group:?flowcontrol.GroupSubject \
        ServiceAccount:?flowcontrol.ServiceAccountSubject
        flowcontrol.ResourcePolicyRule Verbs:[s APIGroups=apiGroups:[s Resources:[s ClusterScope:b Namespaces:[s
        flowcontrol.NonResourcePolicyRule Verbs:[s NonResourceURLs:[s
        flowcontrol.LimitResponse Type:s Queuing:?flowcontrol.QueuingConfiguration
        admissionregistration.ServiceReference Namespace:s Name:s Path:?s Port:n
        admissionregistration.NamedRuleWithOperations ResourceNames:[s RuleWithOperations=.:admissionregistration.RuleWithOperations
        admissionregistration.ExpressionWarning FieldRef:s Warning:s
        admissionregistration.ApplyConfiguration Expression:s
        admissionregistration.JSONPatch Expression:s
        resource.CELDeviceSelector Expression:s
        resource.OpaqueDeviceConfiguration Driver:s Parameters:?a
        resource.DeviceRequest Name:s Exactly:?resource.ExactDeviceRequest FirstAvailable:[resource.DeviceSubRequest
        resource.DeviceConstraint Requests:[s MatchAttribute:?s DistinctAttribute:?s
        resource.DeviceClaimConfiguration Requests:[s Opaque:?resource.OpaqueDeviceConfiguration
        resource.DeviceAllocationResult Results:[resource.DeviceRequestAllocationResult \
        Config:[resource.DeviceAllocationConfiguration
        resource.NetworkDeviceData InterfaceName:s IPs=ips:[s HardwareAddress:s
        core.NodeSelectorTerm MatchExpressions:[core.NodeSelectorRequirement MatchFields:[core.NodeSelectorRequirement
        resource.DeviceAttribute IntValue=int:?n BoolValue=bool:?b StringValue=string:?s VersionValue=version:?s IntValues=ints:[n \
        BoolValues=bools:[b StringValues=strings:[s VersionValues=versions:[s
        resource.DeviceCapacity Value:q RequestPolicy:?resource.CapacityRequestPolicy
        resource.DeviceCounterConsumption CounterSet:s Counters:{resource.Counter
        resource.DeviceTaint Key:s Value:s Effect:s TimeAdded:?t
        resource.NodeAllocatableResourceMapping CapacityKey:?s AllocationMultiplier:?q
        resource.Counter Value:q
        authorization.FieldSelectorAttributes RawSelector:s Requirements:[metav1.FieldSelectorRequirement
        authorization.LabelSelectorAttributes RawSelector:s Requirements:[metav1.LabelSelectorRequirement
        core.KeyToPath Key:s Path:s Mode:?n
        core.DownwardAPIVolumeFile Path:s FieldRef:?core.ObjectFieldSelector ResourceFieldRef:?core.ResourceFieldSelector Mode:?n
        core.VolumeProjection Secret:?core.SecretProjection DownwardAPI:?core.DownwardAPIProjection \
        ConfigMap:?core.ConfigMapProjection ServiceAccountToken:?core.ServiceAccountTokenProjection \
        ClusterTrustBundle:?core.ClusterTrustBundleProjection PodCertificate:?core.PodCertificateProjection
        core.PersistentVolumeClaimTemplate name=metadata.name:~s generateName=metadata.generateName:~s \
        namespace=metadata.namespace:~s selfLink=metadata.selfLink:~s uid=metadata.uid:~s \
        resourceVersion=metadata.resourceVersion:~s generation=metadata.generation:~n \
        creationTimestamp=metadata.creationTimestamp:~t deletionTimestamp=metadata.deletionTimestamp:~?t \
        deletionGracePeriodSeconds=metadata.deletionGracePeriodSeconds:~?n labels=metadata.labels:~{s \
        annotations=metadata.annotations:~{s ownerReferences=metadata.ownerReferences:~[metav1.OwnerReference \
        finalizers=metadata.finalizers:~[s managedFields=metadata.managedFields:~[metav1.ManagedFieldsEntry \
        Spec:core.PersistentVolumeClaimSpec
        core.ConfigMapEnvSource Name:s Optional:?b
        core.SecretEnvSource Name:s Optional:?b
        core.EnvVarSource FieldRef:?core.ObjectFieldSelector ResourceFieldRef:?core.ResourceFieldSelector \
        ConfigMapKeyRef:?core.ConfigMapKeySelector SecretKeyRef:?core.SecretKeySelector FileKeyRef:?core.FileKeySelector
        core.ContainerRestartRuleOnExitCodes Operator:s Values:[n
        core.ExecAction Command:[s
        core.HTTPGetAction Path:s Port:i Host:s Scheme:s HTTPHeaders=httpHeaders:[core.HTTPHeader
        core.TCPSocketAction Port:i Host:s
        core.GRPCAction Port:n Service:?s
        core.LifecycleHandler Exec:?core.ExecAction HTTPGet=httpGet:?core.HTTPGetAction TCPSocket=tcpSocket:?core.TCPSocketAction \
        Sleep:?core.SleepAction
        core.Capabilities Add:[s Drop:[s
        core.PreferredSchedulingTerm Weight:n Preference:core.NodeSelectorTerm
        core.PodAffinityTerm LabelSelector:?metav1.LabelSelector Namespaces:[s TopologyKey:s NamespaceSelector:?metav1.LabelSelector \
        MatchLabelKeys:[s MismatchLabelKeys:[s
        core.WeightedPodAffinityTerm Weight:n PodAffinityTerm:core.PodAffinityTerm
        core.ContainerStateWaiting Reason:s Message:s
        core.ContainerStateRunning StartedAt:t
        core.ContainerStateTerminated ExitCode:n Signal:n Reason:s Message:s StartedAt:t FinishedAt:t ContainerID:s
        core.VolumeStatus Image:?core.ImageVolumeStatus
        core.LinuxContainerUser UID=uid:n GID=gid:n SupplementalGroups:[n
        core.ResourceHealth ResourceID:s Health:s Message:?s
        core.PortStatus Port:n Protocol:s Error:?s
        batch.PodFailurePolicyOnExitCodesRequirement ContainerName:?s Operator:s Values:[n
        batch.PodFailurePolicyOnPodConditionsPattern Type:s Status:s
        autoscaling.MetricTarget Type:s Value:?q AverageValue:?q AverageUtilization:?n
        autoscaling.MetricIdentifier Name:s Selector:?metav1.LabelSelector
        autoscaling.HPAScalingPolicy Type:s Value:n PeriodSeconds:n
        autoscaling.MetricValueStatus Value:?q AverageValue:?q AverageUtilization:?n
        networking.ServiceBackendPort Name:s Number:n
        networking.HTTPIngressPath Path:s PathType:?s Backend:networking.IngressBackend
        networking.IngressPortStatus Port:n Protocol:s Error:?s
        networking.IPBlock CIDR=cidr:s Except:[s
        flowcontrol.UserSubject Name:s
        flowcontrol.GroupSubject Name:s
        flowcontrol.ServiceAccountSubject Namespace:s Name:s
        flowcontrol.QueuingConfiguration Queues:n HandSize:n QueueLengthLimit:n
        resource.ExactDeviceRequest DeviceClassName:s Selectors:[resource.DeviceSelector AllocationMode:s Count:n AdminAccess:?b \
        Tolerations:[resource.DeviceToleration Capacity:?resource.CapacityRequirements
        resource.DeviceSubRequest Name:s DeviceClassName:s Selectors:[resource.DeviceSelector AllocationMode:s Count:n \
        Tolerations:[resource.DeviceToleration Capacity:?resource.CapacityRequirements
        resource.DeviceRequestAllocationResult Request:s Driver:s Pool:s Device:s AdminAccess:?b \
        Tolerations:[resource.DeviceToleration BindingConditions:[s BindingFailureConditions:[s ShareID:?s ConsumedCapacity:{q
        resource.DeviceAllocationConfiguration Source:s Requests:[s Opaque:?resource.OpaqueDeviceConfiguration
        core.NodeSelectorRequirement Key:s Operator:s Values:[s
        resource.CapacityRequestPolicy Default:?q ValidValues:[q ValidRange:?resource.CapacityRequestPolicyRange
        metav1.FieldSelectorRequirement key:s operator:s values:~[s
        core.ObjectFieldSelector APIVersion=apiVersion:s FieldPath:s
        core.ResourceFieldSelector ContainerName:s Resource:s Divisor:q
        core.SecretProjection Name:s Items:[core.KeyToPath Optional:?b
        core.DownwardAPIProjection Items:[core.DownwardAPIVolumeFile
        core.ConfigMapProjection Name:s Items:[core.KeyToPath Optional:?b
        core.ServiceAccountTokenProjection Audience:s ExpirationSeconds:n Path:s
        core.ClusterTrustBundleProjection Name:?s SignerName:?s LabelSelector:?metav1.LabelSelector Optional:?b Path:s
        core.PodCertificateProjection SignerName:s KeyType:s MaxExpirationSeconds:?n CredentialBundlePath:s KeyPath:s \
        CertificateChainPath:s UserAnnotations:{s
        core.ConfigMapKeySelector Name:s Key:s Optional:?b
        core.SecretKeySelector Name:s Key:s Optional:?b
        core.FileKeySelector VolumeName:s Path:s Key:s Optional:?b
        core.HTTPHeader Name:s Value:s
        core.SleepAction Seconds:n
        core.ImageVolumeStatus ImageRef:s
        resource.DeviceToleration Key:s Operator:s Value:s Effect:s TolerationSeconds:?n
        resource.CapacityRequirements Requests:{q
        resource.CapacityRequestPolicyRange Min:?q Max:?q Step:?q
        """
}
